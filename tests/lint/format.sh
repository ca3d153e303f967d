#!/bin/bash
# Checks that all C++ is formatted as .clang-format says.
set -euo pipefail
cd "$(dirname "$0")/../.."
find lib cmd tests -name '*.[ch]pp' -print0 | xargs -0 clang-format-14 --dry-run -Werror
