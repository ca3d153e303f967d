# The fuzzers, which the preset `fuzz` builds with clang; `fuzzers` makes all of them.
add_custom_target(fuzzers)
set(targets stack_file lockfile plan_file haproxy_answers haproxy_configuration api_answers
            cloud_requests)
set(stack_file_libraries paas_stack)
set(lockfile_libraries paas_lockfile)
# What writes and reads plans alone: what makes and carries them out is not asked here.
add_library(fuzz_plan_file_parts STATIC EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/lib/report/plan_file.cpp
            ${PROJECT_SOURCE_DIR}/lib/report/plan_basis.cpp ${PROJECT_SOURCE_DIR}/lib/report/plan_json.cpp
            ${PROJECT_SOURCE_DIR}/lib/report/plan_text.cpp ${PROJECT_SOURCE_DIR}/lib/report/cost_text.cpp
            ${PROJECT_SOURCE_DIR}/lib/report/style.cpp
            ${PROJECT_SOURCE_DIR}/lib/plan/step.cpp ${PROJECT_SOURCE_DIR}/lib/plan/cost.cpp
            ${PROJECT_SOURCE_DIR}/lib/plan/firewall.cpp)
set_target_properties(fuzz_plan_file_parts PROPERTIES UNITY_BUILD OFF)
target_link_libraries(fuzz_plan_file_parts PUBLIC paas_lockfile nlohmann_json::nlohmann_json)
set(plan_file_libraries fuzz_plan_file_parts)
set(haproxy_answers_libraries paas_haproxy)
set(haproxy_configuration_libraries paas_haproxy)
set(api_answers_libraries paas_digitalocean)
# The core alone: what puts it on a network and on Docker is not asked here.
set(core account action_list actions call catalogue completion core domains droplet_actions droplet_creation droplet_request droplets
         fault fault_descriptions fault_making fault_requests firewall_request firewalls images ip_range projects
         rate_limit registry reserved_ips routes rules state state_json tags turn views volume_actions volumes vpcs)
list(TRANSFORM core PREPEND ${PROJECT_SOURCE_DIR}/lib/cloud/)
list(TRANSFORM core APPEND .cpp)
add_library(fuzz_cloud_core STATIC EXCLUDE_FROM_ALL ${core} ${PROJECT_SOURCE_DIR}/tests/cloud/support/invariants.cpp)
target_link_libraries(fuzz_cloud_core PUBLIC paas_base paas_ports nlohmann_json::nlohmann_json OpenSSL::Crypto)
target_include_directories(fuzz_cloud_core PUBLIC ${PROJECT_SOURCE_DIR}/tests)
set(cloud_requests_libraries fuzz_cloud_core)

foreach(name ${targets})
  add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/fuzzer.cpp ${CMAKE_CURRENT_LIST_DIR}/${name}.cpp)
  target_compile_definitions(fuzz_${name} PRIVATE PAASCTL_FUZZ_TARGET=${name})
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(fuzz_${name} PRIVATE ${${name}_libraries})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${name})
endforeach()
