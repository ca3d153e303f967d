// An older lockfile put back, another one in its place, and lockfiles that start anew.
#include "lockfile/sighting.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "lockfile/codec.hpp"
#include "lockfile/store.hpp"
#include "lockfile/support/fakes.hpp"
#include "system/support/variables.hpp"

namespace paas::lockfile {
namespace {

using testing::CountingRandom;
using testing::FakeFiles;
using testing::FixedClock;
using testing::full_lockfile;
using tests::Variables;

constexpr const char* lock_path = "/s/paas.lock";

struct SightingFixture {
  FakeFiles files;
  Variables environment{Variables::Values{{"HOME", "/home/u"}}};
  CountingRandom random;
  FixedClock clock;

  FileStore store() { return {files, environment, random, clock, lock_path}; }
  std::string& text() { return files.files[lock_path].content; }
  /// Another run that changes something.
  void change(const std::string& range) {
    auto run = store();
    auto lockfile = *run.load();
    lockfile.applied = full_lockfile().applied;
    lockfile.vpc_range = range;
    const auto guard = run.acquire("paasctl up");
    REQUIRE(run.save(lockfile));
  }
  void forget_what_was_seen() {
    std::erase_if(files.files, [](const auto& entry) {
      return entry.first.find("/state/") != std::string::npos;
    });
  }
};

void check_refused(const Result<Lockfile>& loaded, const std::string& part) {
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().kind == ErrorKind::invalid);
  CHECK_MESSAGE(loaded.error().message.find(part) != std::string::npos, loaded.error().message);
  CHECK(loaded.error().hint.find("`paasctl state accept`") != std::string::npos);
}

TEST_CASE("case 19: an older lockfile put back is refused, and nothing is changed") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto older = f.text();
  f.change("10.1.0.0/20");
  f.text() = older;
  check_refused(f.store().load(), "is an older one: it has serial 1, and serial 2 was seen here");
  CHECK(f.text() == older);
}

TEST_CASE("lockfile: a newer one that was only looked at counts as seen") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto older = f.text();
  f.change("10.1.0.0/20");
  f.forget_what_was_seen();
  REQUIRE(f.store().load());
  f.text() = older;
  CHECK_FALSE(f.store().load());
}

TEST_CASE("lockfile: a machine that has seen nothing takes what it is given") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto older = f.text();
  f.change("10.1.0.0/20");
  f.text() = older;
  f.forget_what_was_seen();
  CHECK(f.store().load());
  // Nor does one without a home, as some runners are.
  f.environment.values = {
      {"PAASCTL_KEY", key_text(*load_key(f.files, f.environment, *lineage_of(older)))}};
  CHECK(f.store().load());
}

TEST_CASE("lockfile: two that went on from the same one are told apart") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto common = f.text();
  f.change("10.1.0.0/20");
  const auto mine = f.text();
  f.forget_what_was_seen();
  f.text() = common;
  f.change("10.2.0.0/20");
  f.text() = mine;
  check_refused(f.store().load(), "is not the one of serial 2 that was seen here");
}

TEST_CASE("lockfile: another lineage in the place of a stack's is refused") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto first = f.text();
  f.text().clear();
  f.files.files.erase(lock_path);
  // One that is made here takes the place: it is not there by mistake.
  f.change("10.1.0.0/20");
  CHECK(f.store().load());
  f.text() = first;
  check_refused(f.store().load(), "is another one than before");
}

TEST_CASE("lockfile: that of another stack, as on another branch, is no foreign one") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto first = f.text();
  f.files.files.erase(lock_path);
  {
    auto run = f.store();
    auto lockfile = *run.load();
    lockfile.applied = full_lockfile().applied;
    lockfile.applied->name = "another";
    const auto guard = run.acquire("paasctl up");
    REQUIRE(run.save(lockfile));
  }
  f.text() = first;
  CHECK(f.store().load());
}

TEST_CASE("lockfile: an older one that is accepted is the newest from then on") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto older = f.text();
  f.change("10.1.0.0/20");
  f.change("10.2.0.0/20");
  const auto newest = f.text();
  f.text() = older;
  auto run = f.store();
  auto lockfile = run.load_any();
  REQUIRE(lockfile);
  CHECK(lockfile->serial == 1);
  {
    const auto guard = run.acquire("paasctl state accept");
    REQUIRE(run.save(*lockfile));
  }
  CHECK(lockfile->serial == 4);
  CHECK(f.store().load()->serial == 4);
  CHECK(f.files.files.at("/s/paas.lock.backup").content == older);
  f.text() = newest;
  check_refused(f.store().load(), "it has serial 3, and serial 4 was seen here");
}

TEST_CASE("lockfile: looking at an older one does not make it the newest") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto older = f.text();
  f.change("10.1.0.0/20");
  f.text() = older;
  REQUIRE(f.store().load_any());
  CHECK_FALSE(f.store().load());
}

/// Stores a newer lockfile between two looks at it.
class RacingFiles : public FakeFiles {
 public:
  Result<std::string> read(const std::string& name) override {
    auto result = FakeFiles::read(name);
    if (name == lock_path && !next.empty()) files[lock_path].content = std::exchange(next, "");
    return result;
  }
  std::string next;
};

TEST_CASE("lockfile: one that a run stores while it is read is not taken for an older one") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  const auto older = f.text();
  f.change("10.1.0.0/20");
  RacingFiles racing;
  racing.files = f.files.files;
  racing.next = f.text();
  racing.files[lock_path].content = older;
  FileStore store(racing, f.environment, f.random, f.clock, lock_path);
  const auto loaded = store.load();
  REQUIRE(loaded);
  CHECK(loaded->serial == 2);
}

TEST_CASE("lockfile: what is remembered may be unreadable, or not be written") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  for (auto& [name, file] : f.files.files) {
    if (name.ends_with(".json")) file.content = "{\"serial\": \"many\"}";
    if (name.find("place-") != std::string::npos) file.content = "../../etc";
  }
  CHECK(f.store().load());
  for (int fails_at = 0; fails_at < 12; ++fails_at) {
    CAPTURE(fails_at);
    f.forget_what_was_seen();
    auto store = f.store();
    f.files.operations = 0;
    f.files.fails_at = fails_at + 4;  // After the lockfile and its key are read.
    CHECK(store.load());
    f.files.fails_at = -1;
  }
}

TEST_CASE("lockfile: one that starts anew keeps what was there, readable or not") {
  for (const auto* before : {"{\"version\": 1, \"line", ""}) {
    CAPTURE(before);
    SightingFixture f;
    f.files.files[lock_path] = {before, 0600, FileKind::regular};
    f.files.files["/s/paas.lock.backup"] = {"the backup", 0600, FileKind::regular};
    auto run = f.store();
    const auto guard = run.acquire("paasctl state rebuild");
    auto lockfile = run.start_anew();
    REQUIRE(lockfile);
    CHECK(run.replaced_path() == "/s/paas.lock.replaced-20231114T221320Z");
    REQUIRE(run.save(*lockfile));
    REQUIRE(run.save(*lockfile));
    CHECK(f.files.files.at("/s/paas.lock.backup").content == "the backup");
    if (*before != '\0') CHECK(f.files.files.at(run.replaced_path()).content == before);
    const auto read = f.store().load();
    REQUIRE(read);
    CHECK(read->lineage == lockfile->lineage);
    CHECK(read->serial == 2);
  }
}

TEST_CASE("lockfile: two that start anew in the same second keep both that were there") {
  SightingFixture f;
  f.files.files[lock_path] = {"first", 0600, FileKind::regular};
  for (int i = 0; i < 2; ++i) {
    auto run = f.store();
    const auto guard = run.acquire("paasctl state rebuild");
    auto lockfile = *run.start_anew();
    REQUIRE(run.save(lockfile));
  }
  CHECK(f.files.files.at("/s/paas.lock.replaced-20231114T221320Z").content == "first");
  CHECK(f.files.files.count("/s/paas.lock.replaced-20231114T221320Z-2") == 1);
}

TEST_CASE("lockfile: one that starts anew where none was replaces nothing") {
  SightingFixture f;
  auto run = f.store();
  const auto guard = run.acquire("paasctl state rebuild");
  auto lockfile = run.start_anew();
  REQUIRE(lockfile);
  CHECK(run.replaced_path().empty());
  REQUIRE(run.save(*lockfile));
  CHECK(f.store().load());
}

TEST_CASE("lockfile: a rebuilt one is no foreign one") {
  SightingFixture f;
  f.change("10.0.0.0/20");
  auto run = f.store();
  const auto guard = run.acquire("paasctl state rebuild");
  auto lockfile = *run.start_anew();
  lockfile.applied = full_lockfile().applied;
  REQUIRE(run.save(lockfile));
  CHECK(f.store().load()->lineage == lockfile.lineage);
}

}  // namespace
}  // namespace paas::lockfile
