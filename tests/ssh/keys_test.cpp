// Key pairs and fingerprints, compared with what ssh-keygen says.
#include "ssh/keys.hpp"

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

TEST_CASE("ssh: a new key pair fits together, and its folder is gone") {
  const paas::tests::ScratchFolder folder;
  paas::system::PosixProcesses processes;
  paas::system::PosixFiles files;
  const auto pair = paas::ssh::generate_key(processes, files, folder.path(), "zipkick");
  REQUIRE(pair.has_value());
  CHECK(files.list(folder.path())->empty());
  CHECK(pair->public_key.starts_with("ssh-ed25519 AAAA"));
  CHECK(pair->public_key.ends_with(" zipkick"));
  CHECK(pair->private_key.reveal().starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  CHECK(pair->private_key.reveal().ends_with("-----END OPENSSH PRIVATE KEY-----\n"));

  REQUIRE(files.write_atomically(folder.file("k"), pair->private_key.reveal(), 0600));
  paas::ProcessRequest request;
  request.arguments = {"ssh-keygen", "-y", "-f", folder.file("k")};
  CHECK(paas::text::trim(processes.run(request)->output) == pair->public_key);
}

TEST_CASE("ssh: two key pairs differ") {
  const paas::tests::ScratchFolder folder;
  paas::system::PosixProcesses processes;
  paas::system::PosixFiles files;
  const auto first = paas::ssh::generate_key(processes, files, folder.path(), "a");
  const auto second = paas::ssh::generate_key(processes, files, folder.path(), "a");
  CHECK(first->public_key != second->public_key);
}

TEST_CASE("ssh: fingerprints are those that ssh-keygen prints") {
  const paas::tests::ScratchFolder folder;
  paas::system::PosixProcesses processes;
  paas::system::PosixFiles files;
  const auto key =
      paas::ssh::generate_key(processes, files, folder.path(), "a comment").value().public_key;
  REQUIRE(files.write_atomically(folder.file("k.pub"), key + "\n", 0600));
  paas::ProcessRequest request;
  request.arguments = {"ssh-keygen", "-l", "-E", "sha256", "-f", folder.file("k.pub")};
  CHECK(paas::text::split(processes.run(request)->output, ' ').at(1) ==
        paas::ssh::fingerprint_sha256(key));
  request.arguments[3] = "md5";
  CHECK(paas::text::split(processes.run(request)->output, ' ').at(1) ==
        "MD5:" + paas::ssh::fingerprint_md5(key));
}

TEST_CASE("ssh: what is not a key has no fingerprint") {
  CHECK(paas::ssh::fingerprint_sha256("").empty());
  CHECK(paas::ssh::fingerprint_md5("ssh-ed25519").empty());
  CHECK(paas::ssh::fingerprint_md5("ssh-ed25519 !!!").empty());
}

}  // namespace
