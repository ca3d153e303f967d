# Tests of the binary as its users meet it: no Docker Engine is needed.
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_test.sh)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME_WE)
  string(REPLACE "_test" "" name ${name})
  add_test(NAME cli.${name} COMMAND bash ${script})
  set_tests_properties(cli.${name} PROPERTIES LABELS unit TIMEOUT 300 SKIP_RETURN_CODE 77
    ENVIRONMENT "PAASCTL=$<TARGET_FILE:paasctl>;PAASCTL_BUILD=${PROJECT_BINARY_DIR};PAASCTL_CMAKE=${CMAKE_COMMAND}")
endforeach()
