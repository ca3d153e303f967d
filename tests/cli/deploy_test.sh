#!/bin/bash
# `deploy`, `releases` and `rollback` say what keeps them from their work, before they ask the provider or a server.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack

refused deploy_not_up 1 deploy
refused deploy_unknown 1 deploy wbe
refused deploy_image_of_all 64 deploy --image registry.example.com/site:2
refused deploy_bad_image 64 deploy web --image 'site 2'
refused deploy_bad_strategy 64 deploy web --strategy slow
refused deploy_canary_and_strategy 64 deploy web --canary 10% --strategy rolling
refused deploy_canary_too_large 64 deploy web --canary 60%
refused deploy_bad_time 64 deploy web --canary 10% --canary-time soon
refused rollback_not_up 1 rollback web

# A hook that would not run is no hook.
mkdir -p .paas/hooks
hook_is_refused() {
  printf '#!/bin/sh\nexit 0\n' >".paas/hooks/$2"
  chmod "$3" ".paas/hooks/$2"
  refused "$1" 1 plan
  rm ".paas/hooks/$2"
}
hook_is_refused hook_not_executable pre-release.web 644
hook_is_refused hook_unknown_service pre-release.wbe 755
hook_is_refused hook_no_service pre-release 755
hook_is_refused hook_of_database pre-release.db 755

write_lockfile https://api.digitalocean.com 1
release() {
  printf '{"number": %s, "image_name": "registry.example.com/site:%s", "image_digest": "sha256:%s", "environment_digest": "e%s",
    "created": "2026-01-0%sT08:15:00Z", "by": "anna@laptop", "cause": "image site changed"%s}' "$1" "$1" "$1" "$1" "$1" "$2"
}
definition='{"name": "web", "service": {"type": "web", "image": "site", "port": 8000}, "image": {"pull": "registry.example.com/site:1"}, "rules": []}'
jq --argjson first "$(release 1 ', "definition": '"$definition")" --argjson second "$(release 2 '')" --argjson third "$(release 3 ', "failed": true')" \
  --argjson stack '{"stack": "shop", "cloud": "local", "region": "nyc3", "ssh": {"from": ["0.0.0.0/0"]}, "images": {"site": {"pull": "registry.example.com/site:1"}},
    "services": {"web": {"type": "web", "image": "site", "port": 8000, "scale": {"min": 1, "max": 4}}}}' \
  '.applied = $stack | .services.web = {count: 1, next_number: 2, slots: [20000, 20001], releases: [$first, $second, $third], password: ""} | .servers["shop-web-1"].previous = 1' \
  paas.lock >paas.lock.new
mv paas.lock.new paas.lock
chmod 600 paas.lock

run paasctl releases
check_equal "releases are listed" 0 "$status"
golden releases "$output"
run paasctl releases web -o json
check_equal "with their states" 'failed current kept' "$(jq -r '[.[].state] | join(" ")' <<<"$output")"
check_equal "and what can be gone back to" 'false false true' "$(jq -r '[.[].rollback | tostring] | join(" ")' <<<"$output")"
refused releases_unknown 1 releases wbe
refused rollback_unknown_release 1 rollback web 9
refused rollback_no_number 64 rollback web first
refused rollback_failed 1 rollback web 3
refused rollback_not_kept_whole 1 rollback web 2
refused deploy_new_service 1 deploy db
cli_end
