// The key that a real server shows to somebody who has not logged in.
#include "ssh/host_key.hpp"

#include <doctest/doctest.h>

#include "ssh/support/test_sshd.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

using paas::ErrorKind;
using paas::ssh::shown_host_key;
using paas::tests::ScratchFolder;
using paas::tests::TestSshd;

TEST_CASE("ssh: a host key is shown without logging in, and nothing is left behind") {
  const ScratchFolder folder;
  paas::system::PosixFiles files;
  paas::system::PosixProcesses processes;
  const auto server = TestSshd::start("shop-web-1", "ssh-ed25519 AAAA nobody");
  auto host = server->host();
  const auto pinned = host.host_key;
  host.host_key.clear();
  const auto shown = shown_host_key(processes, files, folder.path(), host);
  REQUIRE_MESSAGE(shown, (shown ? "" : paas::describe(shown.error())));
  // Without the comment of the key's file.
  CHECK(pinned == *shown + " host");
  CHECK(server->accepted() == 0);
  CHECK(files.list(folder.path())->empty());
  // The key that it has now, whatever it had before.
  server->restart_with_new_key();
  const auto other = shown_host_key(processes, files, folder.path(), host);
  REQUIRE(other);
  CHECK(*other != pinned);
}

TEST_CASE("ssh: where nobody listens no host key is shown") {
  const ScratchFolder folder;
  paas::system::PosixFiles files;
  paas::system::PosixProcesses processes;
  auto server = TestSshd::start("shop-web-1", "ssh-ed25519 AAAA nobody");
  const auto host = server->host();
  server->kill();
  const auto shown = shown_host_key(processes, files, folder.path(), host);
  REQUIRE_FALSE(shown);
  CHECK(shown.error().kind == ErrorKind::unreachable);
}

}  // namespace
