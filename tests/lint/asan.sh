#!/bin/bash
# Runs the unit tests of the asan preset's build folder, which tests/run has built.
set -euo pipefail
# shellcheck source=tests/lib/setup.sh
source "$(dirname "$0")/../lib/setup.sh"
folder=$1
if [[ ! -f $folder/CTestTestfile.cmake ]]; then
  echo "skipped: $folder was not built (cmake --preset asan && cmake --build --preset asan)"
  exit 77
fi
cmake --build "$folder"
status=0
report=$folder/tests.xml
ctest --test-dir "$folder" --label-regex unit --output-on-failure --parallel "$(nproc)" --no-tests=error \
  --output-junit "$report" || status=$?
# The outer ctest sees one test here, and not what was skipped inside of it.
setup_refuse_skipped "$report" || status=1
exit "$status"
