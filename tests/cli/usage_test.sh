#!/bin/bash
# A wrong command line ends with status 64 and says what was meant.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
cp "$cli_source/examples/zipkick/paas.yaml" .

refused usage_command 64 upp
refused usage_command_far 64 frobnicate
refused usage_command_in_group 64 server lss
refused usage_command_in_rules 64 lb rules ad
refused usage_option 64 up --dry-rum
refused usage_option_far 64 up --frobnicate=3
refused usage_option_of_group 64 image save web --snapshoot
refused usage_argument_missing 64 server up
refused usage_argument_missing_scale 64 scale
refused usage_argument_excess 64 validate web
refused usage_option_value_missing 64 up --file
refused usage_option_required 64 lb rules add --path /x
refused usage_output 64 status -o xml
refused usage_output_unsupported 64 logs frontend -o json
refused usage_output_name_unsupported 64 plan -o name
refused usage_parallelism 64 up --parallelism 0
refused usage_parallelism_text 64 up --parallelism many
refused usage_shell 64 completion fish
refused usage_count 64 scale frontend
refused usage_count_text 64 scale frontend=many
refused usage_count_text_apart 64 scale frontend many
refused usage_count_out_of_range 64 scale frontend 30
refused usage_count_at_most 64 server up db
refused usage_count_of_database 64 scale db=3
refused usage_count_out_of_range_second 64 scale frontend=3 backend=30
refused usage_count_twice 64 scale frontend=2 frontend=3
refused usage_latency 64 cloud up --metadata-only --latency soon
refused usage_save 64 image save web
refused usage_link_variable 64 deps link frontend cache --env REDIS
refused usage_position_zero 64 lb rules add --to frontend --path /x --position 0
refused usage_position_negative 64 lb rules add --to frontend --path /x --position -4
refused usage_rule_target_twice 64 lb rules add --path /x --to frontend --redirect /y
refused usage_rule_code_alone 64 lb rules add --path /x --to frontend --code 301
refused usage_rule_weight 64 lb rules add --path /x --to frontend --to backend=10
refused usage_rule_header 64 lb rules add --header X-Beta --to frontend
refused usage_rule_method 65 lb rules add --method get --to frontend --position 1
refused usage_position_removed 1 lb rules delete 0
refused usage_position 64 lb rules add --to frontend --path /x --position first

# An alias is the command itself.
while IFS='|' read -r alias command; do
  read -ra alias_words <<<"$alias"
  read -ra words <<<"$command"
  run paasctl "${alias_words[@]}" --help
  check_equal "status of paasctl $alias --help" 0 "$status"
  check_equal "$alias is $command" "$(paasctl "${words[@]}" --help)" "$output"
done <<'END'
apply|up
destroy|down
server list|server ls
image list|image ls
image delete|image rm
lb rules delete|lb rules rm
END
cli_end
