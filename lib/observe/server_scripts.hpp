// Scripts for a server's shell that must not lose anything, wherever they are cut off. They need
// `set -eu`.
#pragma once

namespace paas::observe {

/// What make_file_system_script ends with when it leaves the device alone.
constexpr int device_not_empty = 3;

/// Makes a file system on device $1 when there is none. blkid's status 2 means that it found
/// nothing it knows or could not read: only a device whose beginning and end, where the marks of
/// file systems, partitions and arrays are, can be read and hold nothing but zeros is empty.
inline constexpr auto make_file_system_script = R"sh(
status=0; blkid -p "$(readlink -f "$1")" >/dev/null || status=$?
case $status in
0) exit 0 ;;
2) ;;
*) echo "cannot tell what is on $1" >&2; exit 1 ;;
esac
is_zero() { cmp -s -n 1048576 - /dev/zero; }
if head -c 1048576 "$1" | is_zero && tail -c 1048576 "$1" | is_zero; then
  mkfs.ext4 -q -F -m 0 "$1"
else
  exit 3
fi
)sh";

/// Prints the public half of the host key in folder $1 that takes the first one's place: the same
/// one each time. The public half appears last, when both are on the disk, and it stays. One
/// without a private half that is not in use either came with somebody's copy of another machine.
inline constexpr auto make_host_key_script = R"sh(
umask 077; used=$1/ssh_host_ed25519_key; next=$1/paas_next_ed25519_key
public() { cut -d' ' -f1,2; }
if test -s "$next.pub" && ! test -s "$next"; then
  test "$(ssh-keygen -y -P '' -f "$used" | public)" = "$(public <"$next.pub")" || rm "$next.pub"
fi
if ! test -s "$next.pub"; then
  rm -f "$next" "$next.new" "$next.new.pub"
  ssh-keygen -q -t ed25519 -N '' -C '' -f "$next.new"
  sync "$next.new" "$next.new.pub"
  mv "$next.new" "$next"; mv "$next.new.pub" "$next.pub"
fi
public <"$next.pub"
)sh";

/// Puts the key in folder $1 whose public half is $2 in the place of the host key. It is copied and
/// not moved, so that the next run can begin again. Without its private half it is in place
/// already.
inline constexpr auto use_host_key_script = R"sh(
umask 077; used=$1/ssh_host_ed25519_key; next=$1/paas_next_ed25519_key
if test "$(cut -d' ' -f1,2 "$used.pub")" != "$2"; then
  test "$(cut -d' ' -f1,2 "$next.pub")" = "$2"
  if test -s "$next"; then
    cp "$next" "$used.new"; sync "$used.new"; mv -f "$used.new" "$used"
  fi
  test "$(ssh-keygen -y -P '' -f "$used" | cut -d' ' -f1,2)" = "$2"
  cp "$next.pub" "$used.pub.new"; chmod 0644 "$used.pub.new"
  sync "$used.pub.new"; mv -f "$used.pub.new" "$used.pub"
fi
rm -f "$next"
)sh";

/// What look_script, await_health_script and await_end_script end with when Docker Engine does not
/// answer.
constexpr int engine_silent = 5;

/// Prints what there is on a server of the stack $1, in parts that begin with "--- " and a name:
/// the hosts file of containers, mounted volumes, the engine's answers about containers, one a
/// line, and images; with "balancer" as $2 also HAProxy's statistics, what it is, "--- silent"
/// where it does not answer, and, by certificate_script in $3, its certificates and its
/// configuration.
inline constexpr auto look_script = R"sh(
engine() { curl -sS --max-time 60 --unix-socket /var/run/docker.sock "$@" || exit 5; }
stack=$1 role=$2 certificates=$3
echo '--- hosts'; cat /etc/paas/hosts 2>/dev/null || true
echo '--- mounts'
if test -e /etc/paas/volumes; then
  while read -r device folder; do
    if mountpoint -q "$folder"; then echo "${folder#/mnt/}"; fi
  done </etc/paas/volumes
fi
echo '--- containers'
list=$(engine -f -G -d all=1 --data-urlencode "filters={\"label\":[\"paas.stack=$stack\"]}" \
  http://docker/containers/json) || exit 5
set --
for id in $(printf %s "$list" | grep -o '"Id":"[0-9a-f]*"' | cut -d '"' -f 4); do
  set -- "$@" "http://docker/containers/$id/json"
done
if test $# -gt 0; then engine --fail-early -w '\n' "$@"; fi
echo '--- images'; engine -f http://docker/images/json; echo
test "$role" = balancer || exit 0
ask() {
  echo "$1" | socat -t 10 - UNIX-CONNECT:/run/haproxy/admin.sock 2>/dev/null || echo '--- silent'
}
echo '--- statistics'; ask 'show stat'
echo '--- info'; ask 'show info'
echo '--- certificates'
if test -d /etc/haproxy/certificates; then sh -euc "$certificates" sh show; fi
echo '--- configuration'; cat /etc/haproxy/haproxy.cfg 2>/dev/null || true
)sh";

/// Asks container $1 at port $2, and path $3 over HTTP where it is not empty, each time for at most
/// $4 seconds, until it answers, has ended, was started again more than $5 times, or $6
/// milliseconds are over; asks once where they are none, and not at all without a port. The
/// container's own address is asked, because the engine's proxy accepts connections before the
/// program listens. Prints the state, how often it was started again, its exit status, and "yes" if
/// it answered; "gone" when there is no such container.
inline constexpr auto await_health_script = R"sh(
name=$1 port=$2 path=$3 patience=$4 restarts=$5 wait=$6
now() { echo $(($(date +%s%N) / 1000000)); }
form='{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}'
form="$form "'{{with index .NetworkSettings.Networks "bridge"}}{{.IPAddress}}{{end}}'
end=$(($(now) + wait))
while :; do
  if ! seen=$(docker inspect --type container --format "$form" "$name" 2>/dev/null); then
    said=$(docker inspect --type container "$name" 2>&1 >/dev/null) || true
    case $said in *'No such'*) echo gone; exit 0 ;; esac
    echo "$said" >&2
    exit 5
  fi
  read -r state again code address <<END
$seen
END
  answers=no
  if test "$state" = running && test "$again" -le "$restarts" && test -n "$port" &&
    test -n "$address"; then
    if test -n "$path"; then
      curl -sf -o /dev/null --max-time "$patience" "http://$address:$port$path" && answers=yes || true
    else
      timeout "$patience" bash -c ': <"/dev/tcp/$0/$1"' "$address" "$port" 2>/dev/null &&
        answers=yes || true
    fi
  else
    break
  fi
  if test $answers = yes || test "$(now)" -ge $end; then break; fi
  sleep 0.05
done
echo "$state $again $code $answers"
)sh";

/// Waits for the end of container $1 for at most $2 seconds; prints the state and the exit status,
/// "gone" when there is no such container.
inline constexpr auto await_end_script = R"sh(
timeout "$2" docker wait "$1" >/dev/null 2>&1 || true
form='{{.State.Status}} {{.State.ExitCode}}'
if seen=$(docker inspect --type container --format "$form" "$1" 2>/dev/null); then
  echo "$seen"
  exit 0
fi
said=$(docker inspect --type container "$1" 2>&1 >/dev/null) || true
case $said in *'No such'*) echo gone; exit 0 ;; esac
echo "$said" >&2
exit 5
)sh";

/// What put_balancer_script ends with when the file is another one than was expected, and when
/// HAProxy refuses the new one.
constexpr int balancer_file_moved = 3;
constexpr int balancer_file_refused = 4;

/// Puts HAProxy's configuration on standard input, which has $1 bytes, in the place of the one with
/// the SHA-256 $2, or of any when that is empty, and with "reload" as $3 lets HAProxy take it over.
/// A reload that fails keeps the old worker: the worker's process identifier must have changed. One
/// that is asked for while the master is still starting is lost without a word, so it is asked for
/// again.
inline constexpr auto put_balancer_script = R"sh(
file=/etc/haproxy/haproxy.cfg; next=$file.next
cat >"$next"; test "$(wc -c <"$next")" -eq "$1"
if test -n "$2" && test "$(sha256sum <"$file" | cut -c 1-64)" != "$2"; then exit 3; fi
haproxy -c -q -f "$next" || exit 4
chmod 0644 "$next"; sync "$next"; mv -f "$next" "$file"; sync -f /etc/haproxy
test "$3" = reload || exit 0
worker() { echo 'show info' | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock 2>/dev/null |
  sed -n 's/^Pid: //p'; }
before=$(worker || true)
systemctl enable -q haproxy 2>/dev/null || true
if systemctl is-active -q haproxy; then systemctl reload haproxy; else systemctl restart haproxy; fi
tries=0
while :; do
  after=$(worker || true)
  test -n "$after" && test "$after" != "$before" && exit 0
  tries=$((tries + 1)); test $tries -lt 100 || break
  test $((tries % 25)) -ne 0 || systemctl reload haproxy
  sleep 0.1
done
echo 'HAProxy did not take the new configuration over' >&2
journalctl -u haproxy -n 15 --no-pager >&2 || true
exit 1
)sh";

/// Lets the public key on standard input in as the user who runs this; once, however often.
inline constexpr auto authorize_key_script = R"sh(
umask 077; folder=$HOME/.ssh; file=$folder/authorized_keys; key=$(cat)
mkdir -p "$folder"; touch "$file"
if ! grep -qxF -e "$key" "$file"; then
  if test -s "$file" && test -n "$(tail -c 1 "$file")"; then echo >>"$file"; fi
  printf '%s\n' "$key" >>"$file"
  sync "$file"
fi
)sh";

}  // namespace paas::observe
