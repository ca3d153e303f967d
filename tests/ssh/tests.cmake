# The server on loopback stands for a Docker Engine behind a forwarded socket; the user data is
# read with the parsers that are at hand.
target_sources(test_ssh PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/system/support/loopback_server.cpp)
target_link_libraries(test_ssh PRIVATE PkgConfig::YAML nlohmann_json::nlohmann_json)
