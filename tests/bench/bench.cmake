# `cmake --build build/release --target bench` prints start-up time and memory; it judges nothing.
add_custom_target(bench
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/start_up.py $<TARGET_FILE:paasctl>
  DEPENDS paasctl
  USES_TERMINAL VERBATIM)
