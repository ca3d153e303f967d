// What is on the disk before a file takes its name. The linker leads the library's calls of fsync
// and rename through this file (tests.cmake).
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "system/posix_files.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

/// The calls while it lives, in their order.
struct Calls {
  Calls() { current = this; }
  ~Calls() { current = nullptr; }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  int fails_at = 0;  ///< The flush of this number meets an error of the disk.
  int flushes = 0;
  std::vector<std::string> seen;

  static Calls* current;
};
Calls* Calls::current = nullptr;

}  // namespace

extern "C" {
int __real_fsync(int descriptor);
int __real_rename(const char* from, const char* to);

int __wrap_fsync(int descriptor) {
  if (Calls::current == nullptr) return __real_fsync(descriptor);
  auto& calls = *Calls::current;
  struct stat file {};
  REQUIRE(::fstat(descriptor, &file) == 0);
  const auto path =
      std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", descriptor)).string();
  calls.seen.push_back(S_ISDIR(file.st_mode) ? "flush " + path
                                             : fmt::format("flush {} bytes", file.st_size));
  if (++calls.flushes != calls.fails_at) return __real_fsync(descriptor);
  errno = EIO;
  return -1;
}

int __wrap_rename(const char* from, const char* to) {
  if (Calls::current != nullptr) Calls::current->seen.push_back(fmt::format("rename to {}", to));
  return __real_rename(from, to);
}
}

namespace {

using Names = std::vector<std::string>;

/// A file with something in it that is written again.
struct Rewriting {
  Rewriting() { REQUIRE(files.write_atomically(path, "old", 0600)); }
  paas::Status write(Calls& calls) {
    auto status = files.write_atomically(path, "newer", 0600);
    CHECK(files.list(folder.path()).value() == Names{"paas.lock"});
    CHECK_FALSE(calls.seen.empty());
    return status;
  }
  paas::tests::ScratchFolder folder;
  paas::system::PosixFiles files;
  std::string path = folder.file("paas.lock");
};

TEST_CASE("system: a file is flushed before it takes its name, and its folder after that") {
  Rewriting file;
  Calls calls;
  REQUIRE(file.write(calls));
  CHECK(calls.seen ==
        Names{"flush 5 bytes", "rename to " + file.path, "flush " + file.folder.path()});
}

TEST_CASE("system: a file that cannot be flushed does not take its name") {
  Rewriting file;
  Calls calls;
  calls.fails_at = 1;
  const auto status = file.write(calls);
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "flushing " + file.path + ": Input/output error");
  CHECK(calls.seen == Names{"flush 5 bytes"});
  CHECK(file.files.read(file.path).value() == "old");
}

TEST_CASE("system: a folder that cannot be flushed is an error, because the name may be lost") {
  Rewriting file;
  Calls calls;
  calls.fails_at = 2;
  const auto status = file.write(calls);
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "flushing " + file.folder.path() + ": Input/output error");
}

TEST_CASE("system: what was renamed is flushed together with its folder") {
  Rewriting file;
  Calls calls;
  REQUIRE(file.files.flush(file.path));
  CHECK(calls.seen == Names{"flush 3 bytes", "flush " + file.folder.path()});
}

}  // namespace
