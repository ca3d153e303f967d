# Tests that need Debian's python3-h2; they skip where it is not installed.
add_test(NAME live.http2 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/system/run_http2.sh $<TARGET_FILE:test_system>)
set_tests_properties(live.http2 PROPERTIES LABELS unit SKIP_RETURN_CODE 77 TIMEOUT 120)
# tests/system/flushing_test.cpp sees in which order files are flushed and renamed.
target_link_options(test_system PRIVATE -Wl,--wrap=fsync -Wl,--wrap=rename)
