# Runs that are stopped and disturbed at every moment. They use the executor's tests' fakes.
file(GLOB crash_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_test.cpp
                                          ${CMAKE_CURRENT_LIST_DIR}/support/*.cpp)
file(GLOB crash_fakes CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/reconcile/support/*.cpp)
add_executable(test_crash ${crash_sources} ${crash_fakes})
target_link_libraries(test_crash PRIVATE paas_test_main paas_reconcile paas_cloud)
target_include_directories(test_crash PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME unit.crash COMMAND test_crash)
set_tests_properties(unit.crash PROPERTIES LABELS unit)
