#!/bin/bash
# The API over TLS: whose certificate is trusted, and that HTTP/2 is spoken.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
needs openssl
/usr/bin/python3 -c 'import h2' 2>/dev/null || { echo "skipped: python3-h2 is not installed"; exit 77; }
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack
sed -i 's/cloud: local/cloud: digitalocean/' paas.yaml
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem 2>/dev/null

# It ends when nobody reads what it tells.
exec {told}< <(/usr/bin/python3 "$cli_source/tests/system/support/http2_server.py" certificate.pem key.pem)
read -r port <&"$told"
export DIGITALOCEAN_TOKEN=dop_v1_canary DIGITALOCEAN_API_URL=https://127.0.0.1:$port

run paasctl plan
check_equal "status where nobody vouches for the certificate" 69 "$status"
check_contains "what is said" "https://127.0.0.1:$port is not who it says" "$errors"

export SSL_CERT_FILE=$PWD/certificate.pem
run paasctl plan
check_equal "status of answers without what was asked for" 69 "$status"
read -r line <&"$told"
# The connections that came to nothing count too.
check_contains "the first request that it was sent" "h2 GET /v2/" "$line"

export SSL_CERT_FILE=$PWD/nothing.pem
run paasctl plan
check_equal "status without that file" 69 "$status"
check_contains "what is missing" nothing.pem "$errors"
exec {told}<&-
cli_end
