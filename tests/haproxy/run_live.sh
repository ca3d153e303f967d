#!/bin/sh
# Runs the tests that start a real HAProxy: run_live.sh TEST_BINARY. Exit status 77 where none is installed.
PATH=$PATH:/usr/sbin
export PATH
if ! command -v haproxy >/dev/null; then
  echo "skipped: haproxy is not installed" >&2
  exit 77
fi
if "$1" --no-skip --test-suite=live --count | grep -q ': 0$'; then
  echo "there are no such tests in $1" >&2
  exit 1
fi
exec "$1" --no-skip --test-suite=live
