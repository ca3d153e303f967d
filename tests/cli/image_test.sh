#!/bin/bash
# The commands for images where there is no Docker Engine, or no such image.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"
write_stack

refused image_ls_engine_missing 69 image ls
refused image_save_engine_missing 69 image save site -o site.tar
refused image_save_snapshot_unknown 1 image save weeb --snapshot
refused image_rm_engine_missing 69 image rm site
refused image_build_unknown 1 image build kafka
refused image_rm_unknown 1 image rm site sitte
refused image_rm_unknown_alias 1 image delete sitte
echo "this is no archive" >site.tar
refused image_load_no_archive 65 image load site.tar

# An engine without images: what is not known is empty in documents, and a dash for people.
command -v python3 >/dev/null || { echo "skipped the rest: python3 is not installed"; cli_end; exit; }
coproc python3 "$cli_source/tests/cli/fake_engine.py" "$cli_folder/engine.sock"
engine=$COPROC_PID
read -r ready <&"${COPROC[0]}"
check_equal "an engine answers" ready "$ready"
export DOCKER_HOST=unix://$cli_folder/engine.sock
golden image_ls "$(paasctl image ls)
$(paasctl image ls -o json)"
kill "$engine"
cli_end
