#!/bin/sh
# Runs the tests that start a real HAProxy: run_live.sh TEST_BINARY. Exit status 77 where none is installed.
PATH=$PATH:/usr/sbin
export PATH
if ! command -v haproxy >/dev/null; then
  echo "skipped: haproxy is not installed" >&2
  exit 77
fi
exec "$(dirname "$0")/../lib/run_suite.sh" "$1" live
