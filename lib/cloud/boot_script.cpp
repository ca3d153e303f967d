// Renders the scripts. Names and addresses were held to their allowlists before they came here.
#include "cloud/boot_script.hpp"

#include <fmt/format.h>

namespace paas::cloud::boot_script {
namespace {

std::string by_id(const std::string& volume_name) {
  return "/dev/disk/by-id/scsi-0DO_Volume_" + volume_name;
}

std::string minor_of(const Device& device) {
  return device.numbers.substr(device.numbers.find(':') + 1);
}

/// Sets $interface to the one that has the public address; Docker does not promise which name that
/// is.
std::string find_interface(const std::string& public_address) {
  return fmt::format(
      "interface=$(ip -o -4 address show to {}/32 | {{ read -r _ name _; printf %s \"$name\"; "
      "}})\n",
      public_address);
}

/// A reserved address beside the public one, without a route of its own.
std::string add_to_interface(const std::string& address) {
  return fmt::format("ip address replace {}/32 dev \"$interface\"\n", address);
}

}  // namespace

std::string link_volume(const Device& device) {
  return fmt::format(
      "mkdir -p /dev/disk/by-id\n"
      "[ -b {0} ] || mknod -m 660 {0} b 7 {1}\n"
      "ln -sfn ../../{2} {3}\n",
      device.path, minor_of(device), device.path.substr(sizeof("/dev/") - 1),
      by_id(device.volume_name));
}

std::string unlink_volume(const Device& device) {
  // /proc/*/mountinfo shows every mount namespace of the machine. A process of a container is in
  // another process namespace: its mounts are its own affair. Services of systemd may hold copies
  // of the mount in namespaces of theirs; those go too. Paths have their odd characters as octal
  // escapes there, which %b turns back.
  return fmt::format(R"script(device='{0}'
mounted_in() {{
  while read -r _ _ numbers _ target _; do
    [ "$numbers" = "$device" ] && printf '%s\n' "$target"
  done <"/proc/$1/mountinfo"
  true
}} 2>/dev/null
own=$(readlink /proc/1/ns/pid)
others=
for folder in /proc/[0-9]*; do
  process=${{folder#/proc/}}
  targets=$(mounted_in "$process")
  [ -n "$targets" ] || continue
  # One that has ended meanwhile has nothing mounted any more.
  namespace=$(readlink "/proc/$process/ns/pid") || continue
  if [ "$namespace" != "$own" ]; then
    echo "a container has it mounted at $targets"
    exit 3
  fi
  others="$others $process"
done
for process in 1 $others; do
  [ -d "/proc/$process" ] || continue
  mounted_in "$process" | while read -r target; do
    target=$(printf '%b' "$target")
    nsenter --target "$process" --mount -- umount "$target" || exit 4
  done || {{
    mounted_in "$process" | grep -q . || continue
    exit 4
  }}
done 2>&1
rm -f {1} {2}
)script",
                     device.numbers, by_id(device.volume_name), device.path);
}

std::string add_address(const std::string& address, const std::string& public_address) {
  return find_interface(public_address) + add_to_interface(address);
}

std::string remove_address(const std::string& address, const std::string& public_address) {
  return find_interface(public_address) +
         fmt::format(
             "ip -o -4 address show to {0}/32 | grep -q . || exit 0\n"
             "ip address del {0}/32 dev \"$interface\"\n",
             address);
}

std::string render(const Contents& contents) {
  std::string text =
      "# Written by the local cloud; runs before systemd at every boot of this machine.\n";
  // As on a machine of its own, where systemd does it; in a container it does not. Otherwise a
  // service with mounts of its own that starts after a volume was mounted (HAProxy's is one) keeps
  // a copy of the mount, beneath its root where nothing can unmount it, and the volume stays in use
  // until that service ends (measured, systemd 252).
  text += "mount --make-rshared /\n";
  if (contents.cgroup_version == 2) {
    // Docker mounts a private namespace's view read-only, and systemd needs to write there.
    text += "mount -o remount,bind,rw /sys/fs/cgroup\n";
  }
  if (!contents.reserved_addresses.empty()) text += find_interface(contents.public_address);
  for (const std::string& address : contents.reserved_addresses) text += add_to_interface(address);
  for (const Device& device : contents.devices) text += link_volume(device);
  // systemd would wait for the device of a line in fstab, which nothing announces in a container;
  // so what is not mounted here never is.
  if (!contents.devices.empty()) text += "mount -a\n";
  return text;
}

}  // namespace paas::cloud::boot_script
