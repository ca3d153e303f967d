#!/bin/bash
# Certificate files are judged before anything is done: what is wrong with them is told with its place.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
needs openssl

# with_tls TEXT: the stack with this under lb.
with_tls() {
  write_stack
  sed -i "/^lb:/d" paas.yaml
  printf 'lb:\n  listen: [80]\n  rules: [{host: shop.test, to: web}]\n  tls:\n%s\n' "$1" >>paas.yaml
}

# make_certificate NAME HOST DAYS: NAME.pem and NAME.key.
make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$3" -subj "/CN=$2" \
    -addext "subjectAltName=DNS:$2" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

make_certificate shop shop.test 90
make_certificate other other.test 90
make_certificate short shop.test 9
openssl pkey -in shop.key -aes256 -passout pass:secret -out locked.key

with_tls '    certificates:
      - {certificate: ./shop.pem, key: ./shop.key}'
check "certificate and key that belong together" paasctl validate
run paasctl validate -o json
check_contains "defaults are written out" '"redirect": true' "$output"

with_tls '    certificates:
      - {certificate: ./shop.pem, key: ./other.key}
      - {certificate: ./other.pem, key: ./missing.key}
      - {certificate: ./shop.key, key: ./shop.key}
      - {certificate: ./short.pem, key: ./locked.key}'
refused https_files 65 validate
refused https_files_plan 65 plan

with_tls '    certificates:
      - {certificate: ./short.pem, key: ./short.key}
      - {certificate: ./other.pem, key: ./other.key, hosts: [shop.test]}'
run paasctl validate
check_equal "status with warnings" 0 "$status"
check_contains "one that is over soon" \
  'warning: paas.yaml:18:23: lb.tls.certificates[0].certificate: it is over in ' "$errors"
check_contains "one for another host" \
  'warning: paas.yaml:19:61: lb.tls.certificates[1].hosts: shop.test is not in the certificate; it is for other.test' "$errors"

run paasctl lb ca
check_equal "status without an authority" 1 "$status"
check_contains "no authority" 'the stack has no certificate authority of its own' "$errors"
cli_end
