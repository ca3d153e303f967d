// The scripts that fill a machine's disk, run on this machine in a mount namespace of their own.
#include "cloud/full_disk.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "cloud/support/served_cloud.hpp"
#include "system/posix_processes.hpp"

using namespace paas::cloud;

TEST_CASE("full_disk: what is there can be read, nothing can be written, and it all comes back") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: mounting takes root");
    return;
  }
  const testing::TemporaryFolder folder;
  const auto path = folder.file("disk");
  // A file system of its own with a file mounted into it, as /etc has /etc/hosts from Docker; and
  // /run out of the way of this machine's.
  const std::string script = R"sh(
set -u
mount --make-rprivate / && mount -t tmpfs none /run || exit 77
mkdir disk && cd disk
echo was >kept && echo beneath >hosts && echo above >../hosts && mount --bind ../hosts hosts
attempt() { ( "$@" ) 2>/dev/null && echo "$* worked" || echo "$* failed"; }
append() { echo more >>kept; }
attempt append
(FILL) || echo "filling failed"
cd . && cd "$PWD"
cat kept hosts
attempt append
attempt touch new
attempt mkdir folder
attempt rm kept
(FILL) || echo "filling again failed"
(FREE) || echo "freeing failed"
cd "$PWD"
attempt append
attempt touch new
cat kept hosts
grep -c paas-fault /proc/self/mounts
)sh";
  auto text = script;
  const auto put = [&](const std::string& mark, const std::string& by) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) {
      text.replace(at, mark.size(), by);
    }
  };
  put("(FILL)", "(\n" + full_disk::fill_script({path}) + ")");
  put("(FREE)", "(\n" + full_disk::free_script() + ")");
  paas::system::PosixProcesses processes;
  paas::ProcessRequest request;
  request.arguments = {"unshare", "-m", "sh", "-c", "cd " + folder.file("") + "\n" + text};
  const auto result = processes.run(request);
  REQUIRE(result);
  if (result->exit_status == 77) {
    MESSAGE("skipped: this machine lets nobody mount");
    return;
  }
  INFO(result->error_output);
  CHECK(result->output ==
        "append worked\nwas\nmore\nabove\nappend failed\ntouch new failed\nmkdir folder failed\n"
        "rm kept failed\nappend worked\ntouch new worked\nwas\nmore\nmore\nabove\n0\n");
}
