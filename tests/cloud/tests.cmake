# Tests of the local cloud's machines, which need root and a Docker Engine; skipped where there is none.
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cloud/engine/*.cpp)
add_executable(test_cloud_engine ${sources})
target_link_libraries(test_cloud_engine PRIVATE paas_options paas_cloud paas_system)
target_include_directories(test_cloud_engine PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${DOCTEST_INCLUDE_DIR})
add_test(NAME engine.cloud COMMAND test_cloud_engine)
set_tests_properties(engine.cloud PROPERTIES LABELS engine SKIP_RETURN_CODE 77 TIMEOUT 1800 RUN_SERIAL ON)
