# The provider of these tests is the local cloud's core, in process.
if(TARGET test_reconcile)
  target_link_libraries(test_reconcile PRIVATE paas_cloud)
endif()
