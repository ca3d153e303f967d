// The program on a load balancer that puts certificates in place, for paasctl and for certbot
// alike.
#pragma once

namespace paas::observe {

/// Where it lies for certbot, which runs it after each renewal.
inline constexpr auto certificate_program = "/usr/local/sbin/paas-certificate";

/// Its text. A certificate is complete on the disk before the running HAProxy is told of it, so
/// that HAProxy shows the same ones when it is started afresh; whoever is cut off in between is
/// finished by the next one. The Runtime API takes certificates of at most a buffer's 16 KiB
/// (measured, 2.6.12: 15.5 KiB go); longer chains cost a reload. What a certificate is taken into
/// the running HAProxy with is one `put`, with the PEM text on standard input: another load
/// balancer is given it in the same way.
inline constexpr auto certificate_script = R"sh(#!/bin/sh
# Puts certificates in place for HAProxy. Made by paasctl; changes are overwritten.
#   put NAME [HOST...]            shows the certificate, with chain and key on standard input, for these
#                                 hosts or for those that stand in it
#   remove NAME
#   show                          prints what is there, without keys
#   issue EMAIL DIRECTORY HOST... has certbot get what is missing
#   give HOST...                  prints what certbot has of them, for another load balancer
#   take                          puts that in place: what it has itself stays
#   renewed                       for certbot: puts the renewed one in place
set -eu
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
folder=/etc/haproxy/certificates
list=$folder/list
socket=/run/haproxy/admin.sock
certbot_folder=/etc/letsencrypt
challenge_port=8402

ask() { socat -t 10 - "UNIX-CONNECT:$socket" 2>/dev/null || true; }

# Sends the command on standard input; it is done when the answer has these words.
tell() {
  answer=$(ask)
  case $answer in *"$1"*) return 0 ;; esac
  echo "HAProxy answered: $answer" >&2
  return 1
}

# Whether a HAProxy runs that shows what is on the list.
list_is_used() { echo 'show ssl crt-list' | ask | grep -qxF "$list"; }

# The entries of a file in the running HAProxy: "FILE:LINE [] HOST..."
served_entries() { echo "show ssl crt-list -n $list" | ask | grep -F "$1:" || true; }

write_list() {
  touch "$list"
  {
    # The first one is the placeholder.
    if [ "$1" = "$folder/default.pem" ]; then echo "$2"; fi
    awk -v file="$1" '$1 != file' "$list"
    if [ "$1" != "$folder/default.pem" ] && [ -n "$2" ]; then echo "$2"; fi
  } >"$list.new"
  sync "$list.new"
  mv -f "$list.new" "$list"
}

serve_content() {
  echo 'show ssl cert' | ask | grep -qxF "$1" || echo "new ssl cert $1" | tell 'New empty' || return 1
  { echo "set ssl cert $1 <<"; cat "$1"; echo; } | tell 'Transaction ' &&
    echo "commit ssl cert $1" | tell 'Success!' && return 0
  echo "abort ssl cert $1" | ask >/dev/null
  return 1
}

# The new entry is there before the old ones go.
serve_entry() {
  before=$(served_entries "$1")
  kept=
  number='s/^\([^ ]*\):[0-9]*/\1/'
  if echo "$before" | sed "$number" | grep -qxF "$2"; then
    kept=$(echo "$before" | while read -r entry; do
      if [ "$(echo "$entry" | sed "$number")" = "$2" ]; then echo "${entry%% *}"; break; fi
    done)
  else
    { echo "add ssl crt-list $list <<"; echo "$2"; echo; } | tell 'Success!' || return 1
  fi
  echo "$before" | while read -r entry; do
    if [ -n "$entry" ] && [ "${entry%% *}" != "$kept" ]; then
      echo "del ssl crt-list $list ${entry%% *}" | tell 'deleted' || exit 1
    fi
  done
}

put() {
  name=$1
  shift
  file=$folder/$name.pem
  line=$file${*:+ [] $*}
  mkdir -p "$folder"
  cat >"$file.new"
  # A connection that broke leaves a part.
  if ! tail -n 1 "$file.new" | grep -q '^-----END .*PRIVATE KEY-----$'; then
    rm -f "$file.new"
    echo "the certificate $name did not arrive as a whole" >&2
    exit 1
  fi
  sync "$file.new"
  mv -f "$file.new" "$file"
  write_list "$file" "$line"
  list_is_used || return 0
  if ! serve_content "$file" || ! serve_entry "$file" "$line"; then
    echo "the certificate $name costs a reload" >&2
    systemctl reload haproxy
  fi
}

remove() {
  file=$folder/$1.pem
  if [ -e "$list" ]; then write_list "$file" ''; fi
  if list_is_used; then
    served_entries "$file" | while read -r entry; do
      echo "del ssl crt-list $list ${entry%% *}" | tell 'deleted'
    done
    if echo 'show ssl cert' | ask | grep -qxF "$file"; then
      echo "del ssl cert $file" | tell 'deleted'
    fi
  fi
  rm -f "$file" "$file.new"
  host=${1#host.}
  if [ "$host" != "$1" ] && [ -e "$certbot_folder/renewal/$host.conf" ]; then
    certbot delete --non-interactive --cert-name "$host" >/dev/null 2>&1
  fi
}

show() {
  for file in "$folder"/*.pem; do
    [ -e "$file" ] || continue
    digest=$(sha256sum <"$file")
    print=$(echo "show ssl cert $file" | ask | sed -n 's/^SHA1 FingerPrint: //p')
    echo "--- certificate ${file##*/} ${digest%% *} $print"
    sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' "$file"
  done
  echo '--- list'
  cat "$list" 2>/dev/null || true
  echo '--- shown'
  echo "show ssl crt-list $list" | ask | grep "^$folder/" || true
}

# One at a time: certbot's timer does not wait for anybody.
alone() {
  mkdir -p "$folder"
  ( flock 9; "$@" 9>&- ) 9>"$folder/.guard"
}

put_of_certbot() {
  cat "$certbot_folder/live/$1/fullchain.pem" "$certbot_folder/live/$1/privkey.pem" |
    sed -n '/^-----BEGIN /,/^-----END /p' | alone put "host.$1"
}

# Whether certbot got it of this authority and need not renew it yet, as it sees it itself: it asks the authority
# even where it then finds nothing to do.
is_current() {
  grep -qxF "server = $directory" "$certbot_folder/renewal/$1.conf" 2>/dev/null &&
    openssl x509 -noout -checkend 2592000 -in "$certbot_folder/live/$1/cert.pem" >/dev/null 2>&1
}

issue_one() {
  if is_current "$1"; then return 0; fi
  conf=$certbot_folder/renewal/$1.conf
  again=
  # A certificate of another authority is none that the stack file asks for.
  if [ -e "$conf" ] && ! grep -qxF "server = $directory" "$conf"; then again=--force-renewal; fi
  certbot certonly --non-interactive --agree-tos --no-eff-email --email "$email" --server "$directory" \
    --cert-name "$1" --domain "$1" --keep-until-expiring $again \
    --standalone --preferred-challenges http --http-01-address 127.0.0.1 --http-01-port "$challenge_port" \
    --deploy-hook "$0 renewed" >"$log" 2>&1
}

issue() {
  email=$1
  directory=$2
  shift 2
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if ! command -v certbot >/dev/null; then
    { apt-get -q -o DPkg::Lock::Timeout=300 update || true
      apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends certbot; } >"$log" 2>&1 ||
      { tail -n 5 "$log" >&2; exit 1; }
  fi
  status=0
  for host; do
    if issue_one "$host"; then
      put_of_certbot "$host"
    else
      status=1
      echo "$host:" >&2
      # What the authority found, without the advice for those who run certbot by hand.
      grep -v -e '^Saving debug' -e '^Requesting a' -e '^Hint:' -e '^Some challenges' -e '^Ask for help' \
        -e '^See the logfile' -e '^$' "$log" | tail -n 12 >&2
    fi
  done
  exit "$status"
}

# Its account as well. A certificate is a link in live/ to its newest edition in archive/, beside it.
give() {
  cd "$certbot_folder" 2>/dev/null || return 0
  hosts=$#
  for host; do
    [ -e "renewal/$host.conf" ] || continue
    set -- "$@" "renewal/$host.conf" "live/$host" "archive/$host"
  done
  shift "$hosts"
  [ $# -gt 0 ] || return 0
  tar -cz accounts "$@"
}

# Each is complete before certbot knows it by its file in renewal/.
take() {
  parts=$(mktemp -d)
  trap 'rm -rf "$parts"' EXIT
  tar -xz --no-same-owner -C "$parts"
  for part in "$parts"/renewal/*.conf; do
    host=${part##*/}
    host=${host%.conf}
    # certbot asks for what is not whole again.
    [ -s "$parts/live/$host/fullchain.pem" ] && [ -s "$parts/live/$host/privkey.pem" ] || continue
    if [ ! -e "$certbot_folder/renewal/$host.conf" ]; then
      mkdir -p "$certbot_folder/accounts" "$certbot_folder/archive" "$certbot_folder/live" "$certbot_folder/renewal"
      rm -rf "$certbot_folder/archive/$host" "$certbot_folder/live/$host"
      cp -an "$parts/accounts/." "$certbot_folder/accounts/"
      cp -a "$parts/archive/$host" "$certbot_folder/archive/"
      cp -a "$parts/live/$host" "$certbot_folder/live/"
      sync -f "$certbot_folder"
      cp -a "$part" "$certbot_folder/renewal/"
    fi
    put_of_certbot "$host"
  done
}

case $1 in
put) shift; alone put "$@" ;;
remove) shift; alone remove "$@" ;;
show) show ;;
issue) shift; issue "$@" ;;
give) shift; give "$@" ;;
take) take ;;
renewed) put_of_certbot "${RENEWED_LINEAGE##*/}" ;;
esac
)sh";

}  // namespace paas::observe
