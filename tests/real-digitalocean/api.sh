# shellcheck shell=bash
# shellcheck disable=SC2016 # Programs of jq stand in single quotes.
# DigitalOcean's API for tests/real-digitalocean/run: requests with curl, lists as a whole, and what was compared.
#
#   api_begin URL TOKEN FOLDER   where it is; the token goes into a file of this user's, never into an argument
#   api METHOD PATH [JSON]       one request; api_status is the answer's status, api_body its body. Fails only where there
#                                is no answer at all.
#   api_field FILTER             what jq finds in the body
#   api_all PATH MEMBER          every item of a list, a line of JSON each; fails where any page could not be read
#   compare WHAT ASSUMED SEEN    notes whether the API is as the local cloud assumes
#   measure WHAT SEEN            notes what there is no assumption about
#   compared                     the table of both; fails where anything differs

api_url=
api_folder=
api_status=
api_body=

api_begin() {
  api_url=$1
  api_folder=$3
  printf 'header = "Authorization: Bearer %s"\n' "$2" >"$api_folder/curl"
  : >"$api_folder/compared"
}

api() {
  local method=$1 path=$2
  api_body=
  api_status=000
  api_status=$(curl --silent --max-time 60 --config "$api_folder/curl" --request "$method" \
    --header 'Content-Type: application/json' ${3:+--data-binary "$3"} --dump-header "$api_folder/headers" \
    --output "$api_folder/body" --write-out '%{http_code}' "$api_url$path" </dev/null) || return
  api_body=$(cat "$api_folder/body" 2>/dev/null || true)
  rm -f "$api_folder/body"
}

api_field() {
  jq -r "$@" <<<"$api_body" 2>/dev/null
}

# A list that could not be read to its end is no list: what is missing in it could be what costs money.
api_all() {
  local path=$1 member=$2 page=1 query='?'
  [[ $path != *\?* ]] || query='&'
  while true; do
    api GET "$path${query}per_page=200&page=$page" || return
    [[ $api_status == 200 ]] || return 1
    api_field --arg member "$member" -c '.[$member] | if type == "array" then .[] else error("no list") end' || return
    [[ -n $(api_field '.links.pages.next // empty') ]] || return 0
    page=$((page + 1))
  done
}

compare() {
  local verdict=same
  # shellcheck disable=SC2053 # What is assumed may be a pattern.
  if [[ $3 != $2 ]]; then
    verdict=DIFFERS
  fi
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$verdict" >>"$api_folder/compared"
}

measure() {
  printf '%s\t%s\t%s\t%s\n' "$1" - "$2" measured >>"$api_folder/compared"
}

compared() {
  echo
  { printf 'WHAT\tASSUMED\tSEEN\t\n' && cat "$api_folder/compared"; } | awk -F '\t' '
    { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
    END { for (row = 1; row <= NR; row++) {
      for (i = 1; i < 4; i++) printf "%-*s  ", width[i], cell[row, i]
      print cell[row, 4] } }'
  echo
  ! grep -q $'\tDIFFERS$' "$api_folder/compared" || {
    echo "Where it says DIFFERS, the API or the stack is not as the local cloud and paasctl assume."
    return 1
  }
}
