#!/bin/sh
# Runs the tests with a real HTTP/2 server: run_http2.sh TEST_BINARY. Exit status 77 where there is none.
if ! /usr/bin/python3 -c 'import h2' 2>/dev/null || ! command -v openssl >/dev/null; then
  echo "skipped: python3-h2 or openssl is not installed" >&2
  exit 77
fi
exec "$(dirname "$0")/../lib/run_suite.sh" "$1" http2
