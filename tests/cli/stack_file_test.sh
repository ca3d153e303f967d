#!/bin/bash
# A bad stack file ends with status 65 and names file, line and column; nothing is made, started or changed.
# shellcheck source=tests/cli/support.sh
source "$(dirname "$0")/support.sh"
# shellcheck source=tests/cli/stack_fixture.sh
source "$cli_source/tests/cli/stack_fixture.sh"

# changed SED...: the stack with these edits.
changed() {
  write_stack
  sed -i "$@" paas.yaml
}

refused stack_missing 65 validate
refused stack_missing_named 65 up -f nowhere/shop.yaml
mkdir folder.yaml
refused stack_is_folder 65 validate -f folder.yaml
rmdir folder.yaml

changed -e 's/^region:/regin:/' -e 's/scale:/replicas:/'
refused stack_unknown_keys 65 validate
changed 's/port: 8000/port: "many"/'
refused stack_wrong_type 65 validate
write_stack
echo 'services: {}' >>paas.yaml
refused stack_duplicate_key 65 validate
changed 's/links: \[db, cache\]/links: [db, cash]/'
refused stack_link_to_nothing 65 validate
changed -e 's/scheme: postgresql/scheme: postgresql, links: [cache]/' -e 's/scheme: redis/scheme: redis, links: [db]/'
refused stack_circle 65 validate
changed 's/port: 5432/port: 70000/'
refused stack_port_out_of_range 65 validate
changed -e 's/listen: \[80\]/listen: [80, 22, 99999]/' -e 's/cloud: local/cloud: locl/' -e '/^ssh:/d'
refused stack_several 65 validate
changed 's/{pull: "registry.*/{build: .\/site}/'
refused stack_context_missing 65 validate
mkdir site
refused stack_dockerfile_missing 65 validate
refused stack_dockerfile_missing_build 65 image build
rmdir site
printf 'stack: shop\n  region: nyc3\n' >paas.yaml
refused stack_not_yaml 65 validate
: >paas.yaml
refused stack_empty 65 validate
printf 'stack: shop\nregion: \001\n' >paas.yaml
refused stack_control_character 65 validate

# A maintenance page is read and judged before anything else is done.
changed 's/^lb: .*/lb: {listen: [80], maintenance: {page: back.html}}/'
refused stack_page_missing 65 validate
refused stack_page_missing_plan 65 plan
head -c 12289 /dev/zero | tr '\0' x >back.html
refused stack_page_too_long 65 validate
printf '<p>Zur\374ck' >back.html
refused stack_page_not_text 65 validate
echo '<p>Zurück um "zwölf"</p>' >back.html
run paasctl validate -o json
check_equal "status of validate with a page" 0 "$status"
check_contains "the page's text is part of the stack" '"html": "<p>Zurück um \"zwölf\"</p>\n"' "$output"
rm back.html

# Nine levels of nine aliases each would be 387 million nodes.
{
  echo 'a: &a [x, x, x, x, x, x, x, x, x]'
  for level in b c d e f g h i; do
    before=$(tr b-i a-h <<<"$level")
    echo "$level: &$level [*$before, *$before, *$before, *$before, *$before, *$before, *$before, *$before, *$before]"
  done
} >paas.yaml
refused stack_alias_bomb 65 validate

# The same is said by every command that reads the file, before anything else happens.
changed 's/port: 5432/port: 70000/'
for command in up plan "scale web=2" "deps show" "lb rules" "image ls"; do
  read -ra words <<<"$command"
  run paasctl "${words[@]}"
  check_equal "status of paasctl $command" 65 "$status"
  check_contains "paasctl $command names the place" "paas.yaml:11:" "$errors"
done
check_equal "no lockfile was made" "" "$(compgen -G 'paas.lock*')"
check_equal "no local cloud was started" "" "$(find "$XDG_STATE_HOME" -mindepth 1 2>/dev/null)"

# Names that are nearly right, and edits that would break the file.
write_stack
refused name_service 1 deps env weeb
refused name_service_far 1 deps env something
refused name_service_scale 1 deps push weeb
refused edit_link_to_nothing 1 deps link weeb cache
refused edit_link_exists 1 deps link web cache
refused edit_link_again_apply_differs 1 deps link web cache --env CACHE=x --apply
sed -i 's/^cloud: local/cloud: digitalocean/' paas.yaml
# There already, so it is only applied, for which there is no token here.
refused edit_link_again_apply 77 deps link web cache --apply
write_stack
refused edit_link_in_circle 65 deps link db db
refused edit_unlink_absent 1 deps unlink cache db
refused edit_rule_to_database 65 lb rules add --path /x --to db
refused edit_rule_absent 1 lb rules rm 7

# A name is a name, even where a command is called so.
refused name_of_command 1 server ssh ls

# An edit changes its line and no other.
run paasctl deps unlink web cache
check_equal "status of deps unlink" 0 "$status"
run paasctl lb rules add --path /x/ --to web
check_equal "status of lb rules add" 0 "$status"
cp paas.yaml edited.yaml
write_stack
golden edited "$(diff paas.yaml edited.yaml)"
rm edited.yaml

# A link to the file stays one, and the file keeps its rights and its owner.
mkdir elsewhere
mv paas.yaml elsewhere/shop.yaml
ln -s elsewhere/shop.yaml paas.yaml
chmod 640 elsewhere/shop.yaml
[[ $EUID != 0 ]] || chown 12345:54321 elsewhere/shop.yaml
before=$(stat -c '%a %u %g' elsewhere/shop.yaml)
run paasctl deps unlink web cache
check_equal "status of deps unlink through a link" 0 "$status"
check_equal "the link is one still" elsewhere/shop.yaml "$(readlink paas.yaml)"
check_equal "what it leads to was edited" "links: [db]" "$(grep -o 'links: .db]' elsewhere/shop.yaml)"
check_equal "rights and owner are as they were" "$before" "$(stat -c '%a %u %g' elsewhere/shop.yaml)"
# A pipe can be read once and not be replaced.
mkfifo pipe.yaml
(cat elsewhere/shop.yaml >pipe.yaml) &
refused edit_pipe 65 deps unlink web db -f pipe.yaml
wait
rm -r paas.yaml pipe.yaml elsewhere
write_stack

# What is right is said as well, in each form.
run paasctl validate
check_equal "status of validate" 0 "$status"
golden validate "$output
$(paasctl deps show)
$(paasctl deps show -o name)
$(paasctl deps show -o yaml)
$(paasctl lb rules -o json)
$(paasctl deps env web)"
cli_end
