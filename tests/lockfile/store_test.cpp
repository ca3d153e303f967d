// A stored lockfile: compared before it is replaced, whole after every failure, guarded by the
// kernel.
#include "lockfile/store.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "lockfile/codec.hpp"
#include "lockfile/support/fakes.hpp"
#include "system/posix_files.hpp"
#include "system/support/variables.hpp"

namespace paas::lockfile {
namespace {

using testing::CountingRandom;
using testing::FakeFiles;
using testing::FixedClock;
using tests::Variables;

struct Fixture {
  FakeFiles files;
  Variables environment{Variables::Values{{"HOME", "/home/u"}}};
  CountingRandom random;
  FixedClock clock;
  FileStore store{files, environment, random, clock, "/s/paas.lock"};

  /// Another run with its own view of the same files.
  FileStore other() { return {files, environment, random, clock, "/s/paas.lock"}; }
  std::string text() const { return files.files.at("/s/paas.lock").content; }
};

TEST_CASE("lockfile: looking at a stack that has none leaves nothing behind") {
  Fixture f;
  CHECK_FALSE(f.store.exists());
  const auto lockfile = f.store.load();
  REQUIRE(lockfile);
  CHECK(lockfile->lineage.size() == 32);
  CHECK(lockfile->serial == 0);
  CHECK(f.files.files.empty());
  CHECK(f.store.location() == "/s/paas.lock");
}

TEST_CASE("lockfile: saved, it is private, counted, and read back by another run") {
  Fixture f;
  auto lockfile = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  REQUIRE(guard);
  lockfile.services["db"].password = Secret("p");
  REQUIRE(f.store.save(lockfile));
  CHECK(lockfile.serial == 1);
  REQUIRE(f.store.save(lockfile));
  CHECK(lockfile.serial == 2);
  CHECK(f.files.files.at("/s/paas.lock").mode == 0600);
  auto other = f.other();
  CHECK(other.exists());
  const auto read = other.load();
  REQUIRE(read);
  CHECK(*read == lockfile);
}

TEST_CASE("lockfile: the text before a run is backed up once in it") {
  Fixture f;
  auto lockfile = *f.store.load();
  {
    const auto guard = f.store.acquire("paasctl up");
    REQUIRE(f.store.save(lockfile));
    REQUIRE(f.store.save(lockfile));
    CHECK(f.files.files.count("/s/paas.lock.backup") == 0);
  }
  const auto before = f.text();
  const auto guard = f.store.acquire("paasctl scale");
  REQUIRE(f.store.save(lockfile));
  REQUIRE(f.store.save(lockfile));
  CHECK(f.files.files.at("/s/paas.lock.backup").content == before);
  CHECK(f.files.files.at("/s/paas.lock.backup").mode == 0600);
}

TEST_CASE("lockfile: saving needs the guard") {
  Fixture f;
  auto lockfile = *f.store.load();
  CHECK_FALSE(f.store.save(lockfile));
  { const auto guard = f.store.acquire("paasctl up"); }
  CHECK_FALSE(f.store.save(lockfile));
  CHECK_FALSE(f.store.exists());
}

TEST_CASE("lockfile: a lost update is refused and nothing is overwritten") {
  Fixture f;
  auto mine = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  REQUIRE(f.store.save(mine));
  auto other = f.other();
  auto theirs = *other.load();
  {
    const auto other_guard = other.acquire("paasctl up");
    REQUIRE(other.save(theirs));
  }
  const auto text = f.text();
  const auto saved = f.store.save(mine);
  REQUIRE_FALSE(saved);
  CHECK(saved.error().kind == ErrorKind::failed);
  CHECK(saved.error().message.find("it has serial 2") != std::string::npos);
  CHECK(saved.error().message.find("had serial 1") != std::string::npos);
  CHECK(f.text() == text);
  CHECK(mine.serial == 1);
}

TEST_CASE("lockfile: a lockfile that appeared or vanished since the load is not overwritten") {
  Fixture f;
  auto mine = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  auto other = f.other();
  auto theirs = *other.load();
  const auto other_guard = other.acquire("paasctl up");
  REQUIRE(other.save(theirs));
  CHECK_FALSE(f.store.save(mine));
  f.files.files.erase("/s/paas.lock");
  CHECK_FALSE(other.save(theirs));
}

TEST_CASE("lockfile: an older copy in the same run does not undo a newer one") {
  Fixture f;
  auto lockfile = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  auto copy = lockfile;
  REQUIRE(f.store.save(lockfile));
  CHECK_FALSE(f.store.save(copy));
}

TEST_CASE("case 17: whichever operation fails, the old content stays and the next save works") {
  for (int fails_at = 0; fails_at < 40; ++fails_at) {
    CAPTURE(fails_at);
    Fixture f;
    auto lockfile = *f.store.load();
    auto guard = f.store.acquire("paasctl up");
    REQUIRE(f.store.save(lockfile));
    guard = f.store.acquire("paasctl up");
    const auto before = f.text();
    lockfile.vpc_range = "10.10.0.0/20";
    f.files.operations = 0;
    f.files.fails_at = fails_at;
    const auto saved = f.store.save(lockfile);
    f.files.fails_at = -1;
    if (saved) {
      CHECK(fails_at >= 4);
      break;
    }
    CHECK(saved.error().message.find("no space left on device") != std::string::npos);
    CHECK(f.text() == before);
    CHECK(lockfile.serial == 1);
    REQUIRE(f.store.save(lockfile));
    CHECK(lockfile.serial == 2);
  }
}

TEST_CASE("lockfile: a first save that fails leaves no lockfile, and the next one works") {
  for (int fails_at = 0;; ++fails_at) {
    CAPTURE(fails_at);
    Fixture f;
    auto lockfile = *f.store.load();
    const auto guard = f.store.acquire("paasctl up");
    f.files.operations = 0;
    f.files.fails_at = fails_at;
    if (f.store.save(lockfile)) {
      CHECK(fails_at >= 4);
      break;
    }
    CHECK_FALSE(f.store.exists());
    REQUIRE(f.store.save(lockfile));
    CHECK(f.other().load());
  }
}

TEST_CASE("lockfile: a save whose last flush failed is taken for ours by the next one") {
  Fixture f;
  auto lockfile = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  REQUIRE(f.store.save(lockfile));
  REQUIRE(f.store.save(lockfile));
  f.files.operations = 0;
  f.files.fails_at = 2;  // After examining and reading comes writing.
  f.files.replaces_when_failing = true;
  CHECK_FALSE(f.store.save(lockfile));
  CHECK(lockfile.serial == 2);
  CHECK(f.other().load()->serial == 3);
  REQUIRE(f.store.save(lockfile));
  CHECK(lockfile.serial == 4);
  CHECK(f.other().load()->serial == 4);
}

TEST_CASE("lockfile: what could not be read again is not stored") {
  Fixture f;
  auto lockfile = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  REQUIRE(f.store.save(lockfile));
  const auto before = f.text();
  lockfile.servers["zipkick web"].service = "web";
  CHECK_FALSE(f.store.save(lockfile));
  CHECK(f.text() == before);
}

TEST_CASE("lockfile: a link, an empty file and a broken text are refused with the way out") {
  Fixture f;
  f.files.files["/s/paas.lock"] = {"", 0600, FileKind::regular};
  auto result = f.store.load();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::invalid);
  CHECK(result.error().hint.find("paas.lock.backup") != std::string::npos);
  f.files.files["/s/paas.lock"] = {"{\"version\": 1, \"line", 0600, FileKind::regular};
  result = f.store.load();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::invalid);
  CHECK(describe(result.error()).rfind("reading /s/paas.lock: ", 0) == 0);
  f.files.files["/s/paas.lock"] = {"{}", 0777, FileKind::symlink};
  CHECK(f.store.load().error().kind == ErrorKind::invalid);
}

TEST_CASE("lockfile: without its key it is not read") {
  Fixture f;
  auto lockfile = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  REQUIRE(f.store.save(lockfile));
  f.environment.values["HOME"] = "/home/somebody-else";
  CHECK(f.other().load().error().kind == ErrorKind::unauthorised);
}

TEST_CASE("lockfile: one that others may read is read with a warning") {
  Fixture f;
  auto lockfile = *f.store.load();
  const auto guard = f.store.acquire("paasctl up");
  REQUIRE(f.store.save(lockfile));
  REQUIRE(f.store.load());
  CHECK(f.store.warnings().empty());
  f.files.files["/s/paas.lock"].mode = 0644;
  REQUIRE(f.store.load());
  REQUIRE(f.store.warnings().size() == 1);
  CHECK(f.store.warnings()[0].find("chmod 600 /s/paas.lock") != std::string::npos);
}

/// A folder of this test's own, with the real file system.
struct RealFixture {
  RealFixture() {
    std::string name =
        (std::filesystem::temp_directory_path() / "paasctl-lockfile-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    folder = name;
    environment.values["HOME"] = folder;
  }
  ~RealFixture() { std::filesystem::remove_all(folder); }
  FileStore make() { return {files, environment, random, clock, folder + "/paas.lock"}; }

  std::string folder;
  system::PosixFiles files;
  Variables environment{Variables::Values{}};
  CountingRandom random;
  FixedClock clock;
};

/// Another process that takes the guard, says so, and holds it until it is told to end or is
/// killed.
class Holder {
 public:
  explicit Holder(RealFixture& fixture) {
    int ready[2];
    int stop[2];
    REQUIRE(pipe(ready) == 0);
    REQUIRE(pipe(stop) == 0);
    process_ = fork();
    if (process_ == 0) {
      close(stop[1]);
      auto store = fixture.make();
      const auto guard = store.acquire("paasctl up");
      char byte = guard ? 'y' : 'n';
      [[maybe_unused]] auto count = write(ready[1], &byte, 1);
      count = read(stop[0], &byte, 1);
      _exit(0);
    }
    close(ready[1]);
    close(stop[0]);
    stop_ = stop[1];
    char answer = 'n';
    CHECK(read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    close(ready[0]);
  }
  ~Holder() { end(SIGKILL); }
  pid_t process() const { return process_; }
  void end(int signal) {
    if (process_ == 0) return;
    kill(process_, signal);
    waitpid(process_, nullptr, 0);
    close(stop_);
    process_ = 0;
  }

 private:
  pid_t process_ = 0;
  int stop_ = -1;
};

TEST_CASE("case 20: a second run is told who holds the guard, and kill -9 frees it") {
  RealFixture f;
  auto store = f.make();
  {
    Holder holder(f);
    const auto refused = store.acquire("paasctl down");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::guard_held);
    const auto name = "pid " + std::to_string(holder.process()) + " on ";
    CHECK(refused.error().message.find(name) != std::string::npos);
    CHECK(refused.error().message.find(", paasctl up, since 2023-11-14T22:13:20Z") !=
          std::string::npos);
    holder.end(SIGKILL);
  }
  const auto guard = store.acquire("paasctl down");
  CHECK(guard);
}

TEST_CASE("lockfile: the guard of one store keeps out another in the same process, until it ends") {
  RealFixture f;
  auto first = f.make();
  auto second = f.make();
  {
    const auto guard = first.acquire("paasctl up");
    REQUIRE(guard);
    CHECK(second.acquire("paasctl up").error().kind == ErrorKind::guard_held);
  }
  CHECK(second.acquire("paasctl up"));
  CHECK(std::filesystem::exists(f.folder + "/paas.lock.guard"));
}

TEST_CASE("lockfile: on a real disk it is private and nothing temporary is left") {
  RealFixture f;
  auto store = f.make();
  auto lockfile = *store.load();
  const auto guard = store.acquire("paasctl up");
  lockfile.services["db"].password = Secret("p");
  for (int i = 0; i < 3; ++i) REQUIRE(store.save(lockfile));
  CHECK(*f.make().load() == lockfile);
  const auto mode = std::filesystem::status(f.folder + "/paas.lock").permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto names = *f.files.list(f.folder);
  CHECK(names == std::vector<std::string>{".config", ".local", "paas.lock", "paas.lock.guard"});
}

}  // namespace
}  // namespace paas::lockfile
