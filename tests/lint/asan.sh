#!/bin/bash
# Runs the unit tests of the asan preset's build folder, which tests/run has built.
set -euo pipefail
folder=$1
if [[ ! -f $folder/CTestTestfile.cmake ]]; then
  echo "skipped: $folder was not built (cmake --preset asan && cmake --build --preset asan)"
  exit 77
fi
cmake --build "$folder"
ctest --test-dir "$folder" --label-regex unit --output-on-failure --parallel "$(nproc)" --no-tests=error
