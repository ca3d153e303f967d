#!/bin/sh
# Runs a suite of doctest that is skipped otherwise: run_suite.sh TEST_BINARY SUITE. Fails when there is no such test.
if "$1" --no-skip --test-suite="$2" --count | grep -q ': 0$'; then
  echo "there are no such tests in $1" >&2
  exit 1
fi
exec "$1" --no-skip --test-suite="$2"
