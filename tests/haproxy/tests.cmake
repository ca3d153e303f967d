# Tests that need the real HAProxy; they skip where it is not installed.
target_link_libraries(test_haproxy PRIVATE PkgConfig::HTTPLIB PkgConfig::CURL Threads::Threads)

add_test(NAME lint.haproxy_golden
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/haproxy/check_golden.sh)
set_tests_properties(lint.haproxy_golden PROPERTIES LABELS lint SKIP_RETURN_CODE 77)

add_test(NAME live.haproxy
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/haproxy/run_live.sh $<TARGET_FILE:test_haproxy>)
set_tests_properties(live.haproxy PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 300)

foreach(name tls acme)
  add_test(NAME live.${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/haproxy/${name}_live.py)
  set_tests_properties(live.${name} PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 300)
endforeach()
