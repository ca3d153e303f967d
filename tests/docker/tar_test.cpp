// Archives that this program writes are read by GNU tar, and the other way round.
#include "docker/tar.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"

namespace paas::docker::tar {
namespace {

Result<std::vector<Member>> index_text(const std::string& text) {
  return index(
      [&](std::uint64_t offset, std::size_t length) -> Result<std::string> {
        return text.substr(static_cast<std::size_t>(offset), length);
      },
      text.size());
}

std::string run(const std::vector<std::string>& arguments) {
  ProcessRequest request;
  request.arguments = arguments;
  const auto result = system::PosixProcesses().run(request);
  REQUIRE(result);
  CHECK_MESSAGE(result->exit_status == 0, result->error_output);
  return result->output;
}

const std::string long_name =
    std::string(120, 'a') + "/" + std::string(150, 'b') + "/" + std::string(90, 'c');

TEST_CASE("tar: GNU tar reads what was written, with long names and modes") {
  const tests::ScratchFolder scratch;
  auto owned = file("owned", "secret", 0600);
  owned.owner = 1000;
  owned.group = 100;
  const auto text = archive({directory("etc"), file("etc/hosts", "127.0.0.1 localhost\n", 0644),
                             symlink("etc/link", "hosts"), file(long_name, "deep", 0755), owned,
                             symlink("far", std::string(180, 't'))});
  CHECK(text.size() % block_bytes == 0);
  system::PosixFiles files;
  REQUIRE(files.write_atomically(scratch.file("a.tar"), text, 0600));
  const auto listed = run({"tar", "--numeric-owner", "-tvf", scratch.file("a.tar")});
  CHECK(listed.find("drwxr-xr-x 0/0               0 1970-01-01") != std::string::npos);
  CHECK(listed.find("-rw-r--r-- 0/0              20 ") != std::string::npos);
  CHECK(listed.find("etc/link -> hosts") != std::string::npos);
  CHECK(listed.find("-rwxr-xr-x 0/0               4 ") != std::string::npos);
  CHECK(listed.find(long_name) != std::string::npos);
  CHECK(listed.find("-rw------- 1000/100 ") != std::string::npos);
  CHECK(listed.find("far -> " + std::string(180, 't')) != std::string::npos);
  CHECK(run({"tar", "-xOf", scratch.file("a.tar"), long_name}) == "deep");
}

TEST_CASE("tar: the names that end exactly where a field ends survive") {
  for (const std::size_t length :
       {98U, 99U, 100U, 101U, 154U, 155U, 156U, 200U, 255U, 256U, 257U}) {
    CAPTURE(length);
    for (const std::size_t slash : {std::size_t{0}, std::size_t{50}, length - 2}) {
      std::string name(length, 'n');
      if (slash > 0) name[slash] = '/';
      const auto members = index_text(archive({file(name, "x"), directory(name + "d")}));
      REQUIRE(members);
      REQUIRE(members->size() == 2);
      CHECK((*members)[0].entry.path == name);
      CHECK((*members)[1].entry.path == name + "d");
      CHECK((*members)[1].entry.kind == Kind::directory);
    }
  }
}

TEST_CASE("tar: a size beyond octal digits travels in a pax header") {
  Entry huge = file("huge", "");
  huge.size_bytes = 9'000'000'000;
  const auto text = header(huge);
  CHECK(text.find("19 size=9000000000\n") != std::string::npos);
  std::uint64_t seen = 0;
  Scanner scanner([&](const Member& member) -> Status {
    seen = member.entry.size_bytes;
    return {};
  });
  REQUIRE(scanner.feed(text));
  CHECK(seen == 9'000'000'000);
  CHECK(scanner.skippable_bytes() == 9'000'000'000);
}

TEST_CASE("tar: what GNU tar writes is read in each of its formats") {
  const tests::ScratchFolder scratch;
  const auto folder = scratch.file("tree");
  std::filesystem::create_directories(folder + "/" + std::string(120, 'd'));
  std::ofstream(folder + "/" + std::string(120, 'd') + "/" + std::string(130, 'f')) << "content";
  std::filesystem::create_symlink(std::string(140, 't'), folder + "/link");
  std::filesystem::create_hard_link(
      folder + "/" + std::string(120, 'd') + "/" + std::string(130, 'f'), folder + "/hard");
  for (const std::string format : {"gnu", "pax", "posix"}) {
    CAPTURE(format);
    const auto path = scratch.file(format + ".tar");
    run({"tar", "--format=" + format, "--sort=name", "-C", folder, "-cf", path, "."});
    const auto text = system::PosixFiles().read(path);
    REQUIRE(text);
    const auto members = index_text(*text);
    REQUIRE_MESSAGE(members, members.error().message);
    REQUIRE(members->size() == 5);
    const auto& content = (*members)[2];
    CHECK(content.entry.path == std::string(120, 'd') + "/" + std::string(130, 'f'));
    CHECK(text->substr(content.content, 7) == "content");
    CHECK((*members)[3].entry.kind == Kind::hardlink);
    CHECK((*members)[3].entry.link.find(std::string(130, 'f')) != std::string::npos);
    CHECK((*members)[4].entry.link == std::string(140, 't'));
    // The ranges of the members lie end to end.
    for (std::size_t i = 1; i < members->size(); ++i) {
      CHECK((*members)[i].start == (*members)[i - 1].end);
    }
  }
}

TEST_CASE("tar: the scanner gives the same in parts of any size") {
  const auto text = archive({file("one", std::string(700, '1')), file(long_name, "22"),
                             symlink("l", "one"), file("empty", "")});
  for (const std::size_t part : {1U, 7U, 511U, 512U, 513U, 100'000U}) {
    CAPTURE(part);
    std::string seen;
    Scanner scanner(
        [&](const Member& member) -> Status {
          seen += "[" + member.entry.path.substr(0, 3) + "]";
          return {};
        },
        [&](const Member&, std::string_view content) -> Status {
          seen += content;
          return {};
        });
    for (std::size_t at = 0; at < text.size(); at += part) {
      REQUIRE(scanner.feed(std::string_view(text).substr(at, part)));
    }
    CHECK(seen == "[one]" + std::string(700, '1') + "[aaa]22[l][emp]");
    CHECK(scanner.ended());
  }
}

TEST_CASE("tar: what is no archive, or not whole, is refused") {
  const auto good = archive({file("a", std::string(2000, 'x'))});
  const auto error_of = [](const std::string& text) {
    const auto members = index_text(text);
    return members ? std::string("none") : members.error().message;
  };
  CHECK(error_of(good) == "none");
  CHECK(error_of(std::string(1024, 'x')) == "not a tar archive: a header's checksum is wrong");
  CHECK(error_of(good.substr(0, 1024)) == "not a tar archive: it is cut short");
  CHECK(error_of(good.substr(0, 300)) == "not a tar archive: it is cut short");
  CHECK(error_of(good.substr(0, good.size() - 1024)) == "not a tar archive: its end is missing");
  CHECK(error_of("") == "not a tar archive: its end is missing");
  auto changed = good;
  changed[3] = 'z';
  CHECK(error_of(changed) == "not a tar archive: a header's checksum is wrong");
}

}  // namespace
}  // namespace paas::docker::tar
