// Files: atomic replacement, guards, and errors that say which path and why.
#include "system/posix_files.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "system/support/scratch_folder.hpp"

namespace {

using paas::ErrorKind;
using paas::FileKind;
using paas::system::PosixFiles;
using paas::tests::ScratchFolder;

TEST_CASE("system: an atomic write replaces content and mode, and leaves nothing else behind") {
  const ScratchFolder folder;
  PosixFiles files;
  const auto path = folder.file("paas.lock");
  REQUIRE(files.write_atomically(path, "old", 0644).has_value());
  REQUIRE(files.write_atomically(path, "new", 0600).has_value());
  CHECK(files.read(path).value() == "new");
  CHECK(files.info(path).value()->mode == 0600);
  CHECK(files.list(folder.path()).value() == std::vector<std::string>{"paas.lock"});
}

TEST_CASE("system: the mode of a new file is exact whatever the umask is") {
  const ScratchFolder folder;
  PosixFiles files;
  const auto previous = ::umask(0077);
  CHECK(files.write_atomically(folder.file("a"), "", 0644).has_value());
  ::umask(previous);
  CHECK(files.info(folder.file("a")).value()->mode == 0644);
}

TEST_CASE("system: a failed atomic write keeps the old file and leaves no temporary one") {
  const ScratchFolder folder;
  PosixFiles files;
  const auto path = folder.file("paas.lock");
  REQUIRE(files.write_atomically(path, "old", 0600).has_value());
  SUBCASE("when the disk takes no more") {
    // A child of its own, because a limit on file sizes stays with the process.
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit limit{1000, 1000};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      ::signal(SIGXFSZ, SIG_IGN);
      const auto status = files.write_atomically(path, std::string(100'000, 'x'), 0600);
      ::_exit(!status && status.error().message == "writing " + path + ": File too large" ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(files.read(path).value() == "old");
  }
  SUBCASE("when a folder has its name") {
    const auto taken = folder.file("folder");
    REQUIRE(files.make_directories(taken, 0700).has_value());
    const auto status = files.write_atomically(taken, "x", 0600);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().message == "replacing " + taken + ": Is a directory");
    REQUIRE(files.remove(taken).has_value());
  }
  SUBCASE("when the folder is missing") {
    const auto status = files.write_atomically(folder.file("missing/file"), "x", 0600);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().kind == ErrorKind::not_found);
  }
  CHECK(files.list(folder.path()).value() == std::vector<std::string>{"paas.lock"});
}

TEST_CASE("system: reading what is not there is not_found and names the path") {
  PosixFiles files;
  const auto content = files.read("/nonexistent/paas.yaml");
  REQUIRE_FALSE(content.has_value());
  CHECK(content.error().kind == ErrorKind::not_found);
  CHECK(content.error().message == "opening /nonexistent/paas.yaml: No such file or directory");
}

TEST_CASE("system: parts of a file are read by offset, and less at its end") {
  const ScratchFolder folder;
  PosixFiles files;
  REQUIRE(files.append(folder.file("a"), "0123").has_value());
  REQUIRE(files.append(folder.file("a"), "456789").has_value());
  CHECK(files.read_range(folder.file("a"), 3, 4).value() == "3456");
  CHECK(files.read_range(folder.file("a"), 8, 100).value() == "89");
  CHECK(files.read_range(folder.file("a"), 50, 100).value().empty());
  CHECK(files.info(folder.file("a")).value()->mode == 0600);
}

TEST_CASE("system: folders are made with their parents, and again without harm") {
  const ScratchFolder folder;
  PosixFiles files;
  REQUIRE(files.make_directories(folder.file("a/b/c"), 0700).has_value());
  REQUIRE(files.make_directories(folder.file("a/b/c/"), 0755).has_value());
  CHECK(files.info(folder.file("a/b")).value()->mode == 0700);
  REQUIRE(files.write_atomically(folder.file("file"), "", 0600).has_value());
  CHECK_FALSE(files.make_directories(folder.file("file"), 0700).has_value());
  CHECK_FALSE(files.make_directories(folder.file("file/below"), 0700).has_value());
}

TEST_CASE("system: information does not follow links, and absence is a value") {
  const ScratchFolder folder;
  PosixFiles files;
  REQUIRE(::symlink("/nonexistent", folder.file("link").c_str()) == 0);
  const auto link = files.info(folder.file("link")).value();
  REQUIRE(link.has_value());
  CHECK(link->kind == FileKind::symlink);
  CHECK(link->link_target == "/nonexistent");
  CHECK(files.info(folder.path()).value()->kind == FileKind::directory);
  CHECK_FALSE(files.info(folder.file("missing")).value().has_value());
}

TEST_CASE("system: removing works for files, empty folders and what is not there") {
  const ScratchFolder folder;
  PosixFiles files;
  REQUIRE(files.make_directories(folder.file("a/b"), 0700).has_value());
  CHECK_FALSE(files.remove(folder.file("a")).has_value());
  CHECK(files.remove(folder.file("a/b")).has_value());
  CHECK(files.remove(folder.file("a")).has_value());
  CHECK(files.remove(folder.file("a")).has_value());
}

TEST_CASE("system: removing a tree does not follow its links") {
  const ScratchFolder folder;
  PosixFiles files;
  REQUIRE(files.make_directories(folder.file("kept"), 0700).has_value());
  REQUIRE(files.append(folder.file("kept/file"), "x").has_value());
  REQUIRE(files.make_directories(folder.file("tree/below"), 0700).has_value());
  REQUIRE(::symlink(folder.file("kept").c_str(), folder.file("tree/link").c_str()) == 0);
  REQUIRE(files.remove_tree(folder.file("tree")).has_value());
  CHECK_FALSE(files.info(folder.file("tree")).value().has_value());
  CHECK(files.read(folder.file("kept/file")).value() == "x");
}

TEST_CASE("system: a guard has one holder, whose name it shows") {
  const ScratchFolder folder;
  PosixFiles files;
  const auto path = folder.file("paas.lock.guard");
  auto guard = files.try_guard(path, "first").value();
  REQUIRE(guard != nullptr);
  CHECK(files.read(path).value() == "first");
  CHECK(files.try_guard(path, "second").value() == nullptr);
  CHECK(files.read(path).value() == "first");
  guard.reset();
  CHECK(files.try_guard(path, "third").value() != nullptr);
}

TEST_CASE("system: the guard of a process that was killed is free again") {
  const ScratchFolder folder;
  PosixFiles files;
  const auto path = folder.file("guard");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto guard = files.try_guard(path, "holder");
    if (guard && *guard && ::write(ready[1], "x", 1) == 1) ::pause();
    ::_exit(1);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(files.try_guard(path, "second").value() == nullptr);
  CHECK(files.read(path).value() == "holder");
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  CHECK(files.try_guard(path, "second").value() != nullptr);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("system: a guard is not taken through a link") {
  const ScratchFolder folder;
  PosixFiles files;
  REQUIRE(files.append(folder.file("target"), "content").has_value());
  REQUIRE(::symlink(folder.file("target").c_str(), folder.file("guard").c_str()) == 0);
  CHECK_FALSE(files.try_guard(folder.file("guard"), "x").has_value());
  CHECK(files.read(folder.file("target")).value() == "content");
}

}  // namespace
