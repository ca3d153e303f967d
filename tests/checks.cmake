# Tests beside the unit tests: lint, the unit tests under sanitizers, and scenarios on the local cloud.
add_test(NAME lint.format COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/format.sh)
add_test(NAME lint.shell COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/shell.sh)
set_tests_properties(lint.format lint.shell PROPERTIES LABELS lint)
add_test(NAME lint.survival COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/survival.py)
set_tests_properties(lint.survival PROPERTIES LABELS lint)
foreach(check man commands)
  add_test(NAME lint.${check} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/${check}.sh)
  set_tests_properties(lint.${check} PROPERTIES LABELS lint ENVIRONMENT "PAASCTL=$<TARGET_FILE:paasctl>")
endforeach()
add_test(NAME lint.dependencies COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/dependencies.py)
add_test(NAME lint.examples COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/examples.sh)
set_tests_properties(lint.dependencies lint.examples PROPERTIES LABELS lint ENVIRONMENT "PAASCTL=$<TARGET_FILE:paasctl>")
include(${CMAKE_CURRENT_SOURCE_DIR}/cli/tests.cmake)

if(NOT PAASCTL_SANITIZE)
  # The sanitizers' build is a folder of its own; running it from here gives one summary of all.
  add_test(NAME asan.unit COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lint/asan.sh ${PROJECT_SOURCE_DIR}/build/asan)
  set_tests_properties(asan.unit PROPERTIES LABELS asan SKIP_RETURN_CODE 77 TIMEOUT 1800 RUN_SERIAL ON)

  # One after another: each fills the machine with servers. One that takes too long is told to end, so that it takes
  # its machines with it.
  file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scenarios/[0-9]*.sh)
  foreach(script ${scenarios})
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME scenario.${name} COMMAND timeout --kill-after=120 900 bash ${script})
    set_tests_properties(scenario.${name} PROPERTIES
      LABELS scenario SKIP_RETURN_CODE 77 TIMEOUT 1100 RUN_SERIAL ON
      ENVIRONMENT "PAASCTL=$<TARGET_FILE:paasctl>")
  endforeach()
endif()
