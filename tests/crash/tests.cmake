# Runs that are stopped and disturbed at every moment. They use what the executor's tests have in memory.
file(GLOB crash_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_test.cpp
                                          ${CMAKE_CURRENT_LIST_DIR}/support/*.cpp)
add_executable(test_crash ${crash_sources})
target_link_libraries(test_crash PRIVATE paas_test_main paas_test_rig)
target_include_directories(test_crash PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME unit.crash COMMAND test_crash)
set_tests_properties(unit.crash PROPERTIES LABELS unit)
# Each of the moments takes about 0.1 s; the test above tries a part of them.
if(NOT PAASCTL_SANITIZE)
  add_test(NAME crash.everywhere COMMAND test_crash)
  set_tests_properties(crash.everywhere PROPERTIES LABELS crash TIMEOUT 2400 ENVIRONMENT "PAASCTL_CRASH_EVERY=1")
endif()
