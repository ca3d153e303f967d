# Some of these tests ask the local cloud's core, in process.
target_sources(test_digitalocean PRIVATE cloud/support/core_fixture.cpp)
target_link_libraries(test_digitalocean PRIVATE paas_cloud)
