# The provider and the servers of these tests are those of the executor's.
if(TARGET test_observe)
  target_link_libraries(test_observe PRIVATE paas_test_rig)
endif()
