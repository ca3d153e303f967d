# `cmake --build build/release --target bench` prints start-up time and memory; it judges nothing.
add_custom_target(bench
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/start_up.py $<TARGET_FILE:paasctl>
  DEPENDS paasctl
  USES_TERMINAL VERBATIM)

# The benchmarks of scale have a program of their own; tests/bench/README.md says how they are run.
if(PAASCTL_TESTS)
  function(paas_bench_scale)
    add_executable(bench_scale EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/tests/bench/scale.cpp)
    target_link_libraries(bench_scale PRIVATE paas_test_rig)
  endfunction()
  cmake_language(DEFER CALL paas_bench_scale)
endif()
