# The provider and the servers of these tests are those of the executor's.
if(TARGET test_observe)
  target_sources(test_observe PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/reconcile/support/rig.cpp)
  target_link_libraries(test_observe PRIVATE paas_cloud paas_reconcile)
endif()
