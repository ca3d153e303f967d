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

}  // namespace paas::observe
