// The scripts; tests/cloud/full_disk_test.cpp runs them in a mount namespace of its own.
#include "cloud/full_disk.hpp"

#include "base/text.hpp"

namespace paas::cloud::full_disk {
namespace {

/// A function for each volume that is mounted, called with where.
constexpr const char* each_volume = R"sh(
each_volume() {
  for device in /dev/disk/by-id/scsi-0DO_Volume_*; do
    [ -e "$device" ] || continue
    target=$(findmnt -nro TARGET --source "$(readlink -f "$device")" | head -n 1)
    [ -z "$target" ] || "$1" "$target"
  done
}
)sh";

/// What is mounted below a folder, as Docker does with /etc/hosts, is mounted again upon the
/// overlay, which does not show it otherwise.
constexpr const char* fill_functions = R"sh(
fill_folder() {
  [ -d "$1" ] || return 0
  part=$store/$(echo "$1" | tr / _)
  [ ! -e "$part" ] || return 0
  below=$(cut -d ' ' -f 5 /proc/self/mountinfo | grep "^$1/" || true)
  mkdir "$part"
  mount -t tmpfs -o size=256k,nr_inodes=64,mode=0755 paas-fault "$part"
  mkdir "$part/upper" "$part/work"
  chmod --reference="$1" "$part/upper"
  chown --reference="$1" "$part/upper"
  kept=0
  for target in $below; do
    if [ -d "$target" ]; then mkdir "$part/$kept"; else touch "$part/$kept"; fi
    mount --bind "$target" "$part/$kept"
    kept=$((kept + 1))
  done
  mount -t overlay -o "lowerdir=$1,upperdir=$part/upper,workdir=$part/work" paas-fault "$1"
  kept=0
  for target in $below; do
    mount --bind "$part/$kept" "$target"
    kept=$((kept + 1))
  done
  head -c 1M /dev/zero >"$part/full" 2>/dev/null || true
  number=0
  while touch "$part/full.$number" 2>/dev/null; do number=$((number + 1)); done
}
fill_volume() {
  number=0
  while size=$(($(stat -f -c '%f * %S' "$1"))); [ "$size" -ge 4096 ]; do
    while [ "$size" -ge 4096 ] && ! fallocate -l "$size" "$1/.paas-fault.$number" 2>/dev/null; do
      size=$((size / 2))
    done
    [ "$size" -ge 4096 ] || break
    number=$((number + 1))
  done
}
)sh";

constexpr const char* free_commands = R"sh(
free_volume() {
  rm -f "$1"/.paas-fault.*
}
for part in "$store"/*; do
  [ -d "$part" ] || continue
  folder=$(awk -v upper="upperdir=$part/upper," 'index($0, upper) { print $5 }' /proc/self/mountinfo)
  [ -z "$folder" ] || umount -l "$folder"
  umount -l "$part"
  rmdir "$part"
done
each_volume free_volume
)sh";

constexpr const char* beginning = "set -eu\nstore=/run/paas-fault\nmkdir -p \"$store\"\n";

}  // namespace

const std::vector<std::string>& folders() {
  static const std::vector<std::string> all = {"/etc",
                                               "/root",
                                               "/home",
                                               "/opt",
                                               "/srv",
                                               "/usr/local",
                                               "/var/tmp",
                                               "/var/lib/docker/containers",
                                               "/var/lib/docker/image",
                                               "/var/lib/docker/tmp",
                                               "/var/lib/docker/volumes"};
  return all;
}

std::string fill_script(const std::vector<std::string>& folders) {
  return std::string(beginning) + each_volume + fill_functions + "for folder in " +
         text::join(folders, " ") + "; do fill_folder \"$folder\"; done\neach_volume fill_volume\n";
}

std::string free_script() { return std::string(beginning) + each_volume + free_commands; }

}  // namespace paas::cloud::full_disk
