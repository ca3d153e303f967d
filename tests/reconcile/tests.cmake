# The provider of these tests is the local cloud's core, in process.
if(TARGET test_reconcile)
  target_link_libraries(test_reconcile PRIVATE paas_cloud)
endif()

# The executor's world in memory, for the tests of others.
file(GLOB rig_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/support/*.cpp)
add_library(paas_test_rig STATIC ${rig_sources})
target_link_libraries(paas_test_rig PUBLIC paas_reconcile paas_cloud paas_options)
target_include_directories(paas_test_rig PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${DOCTEST_INCLUDE_DIR})

# The tests that need a real Docker Engine.
add_subdirectory(reconcile/engine)
