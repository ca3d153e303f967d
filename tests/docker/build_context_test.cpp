// Build contexts out of real folders.
#include "docker/build_context.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "docker/tar.hpp"
#include "system/posix_files.hpp"
#include "system/support/scratch_folder.hpp"

namespace paas::docker {
namespace {

class Folder {
 public:
  Folder& file(const std::string& path, const std::string& content = "x") {
    std::filesystem::create_directories(std::filesystem::path(scratch_.file(path)).parent_path());
    std::ofstream(scratch_.file(path)) << content;
    ::chmod(scratch_.file(path).c_str(), 0644);
    return *this;
  }
  Folder& link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories(std::filesystem::path(scratch_.file(path)).parent_path());
    std::filesystem::create_symlink(target, scratch_.file(path));
    return *this;
  }
  const std::string& path() const { return scratch_.path(); }

  Result<std::vector<ContextEntry>> list(const std::string& dockerfile = "Dockerfile") {
    return list_context(files, path(), dockerfile);
  }
  std::string names(const std::string& dockerfile = "Dockerfile") {
    const auto entries = list(dockerfile);
    if (!entries) return "error: " + entries.error().message;
    std::string names;
    for (const auto& entry : *entries) names += entry.path + " ";
    return names;
  }
  std::string digest() {
    const auto entries = list();
    REQUIRE(entries);
    const auto digest = context_digest(files, path(), *entries);
    REQUIRE(digest);
    return *digest;
  }
  std::string archive(std::size_t capacity) {
    const auto entries = list();
    REQUIRE(entries);
    const auto source = context_archive(files, path(), *entries);
    std::string text;
    while (true) {
      const auto part = source(capacity);
      REQUIRE_MESSAGE(part, part.error().message);
      CHECK(part->size() <= capacity);
      if (part->empty()) return text;
      text += *part;
    }
  }

  system::PosixFiles files;

 private:
  tests::ScratchFolder scratch_;
};

TEST_CASE("build context: files are sorted, with their folders") {
  Folder folder;
  folder.file("b/2").file("b/1").file("Dockerfile").file("a").link("b/link", "../a");
  CHECK(folder.names() == "Dockerfile a b b/1 b/2 b/link ");
}

TEST_CASE(
    "build context: .dockerignore leaves out, and what it includes again brings its folders") {
  Folder folder;
  folder.file("Dockerfile").file("src/main.c").file("src/deep/keep.txt").file("docs/a").file("b");
  folder.file(".dockerignore", "*\n!src/deep\n");
  CHECK(folder.names() == ".dockerignore Dockerfile src src/deep src/deep/keep.txt ");
  folder.file(".dockerignore", "**/*\n!**/*.c\n");
  CHECK(folder.names() == ".dockerignore Dockerfile src src/main.c ");
  folder.file(".dockerignore", "src\nb\n");
  CHECK(folder.names() == ".dockerignore Dockerfile docs docs/a ");
}

TEST_CASE("build context: the Dockerfile and the ignore file are sent whatever the rules say") {
  Folder folder;
  folder.file("build/web.Dockerfile").file("other").file("build/x");
  folder.file(".dockerignore", "*\n");
  CHECK(folder.names("build/web.Dockerfile") == ".dockerignore build build/web.Dockerfile ");
  CHECK(folder.names("./build/../build/web.Dockerfile") ==
        ".dockerignore build build/web.Dockerfile ");
  folder.file("build/web.Dockerfile.dockerignore", "other\n.dockerignore\n");
  CHECK(folder.names("build/web.Dockerfile") ==
        "build build/web.Dockerfile build/web.Dockerfile.dockerignore build/x ");
}

TEST_CASE("build context: what is wrong with it is said, with a hint") {
  Folder folder;
  const auto missing = folder.list();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::invalid);
  CHECK(missing.error().message == "there is no Dockerfile in " + folder.path());
  CHECK(missing.error().hint.find(folder.path() + "/Dockerfile") != std::string::npos);
  folder.file("Dockerfile");
  CHECK(folder.names("../Dockerfile") ==
        "error: the Dockerfile ../Dockerfile is not inside the "
        "build context " +
            folder.path());
  CHECK(folder.names("/Dockerfile").rfind("error: ", 0) == 0);
  CHECK(list_context(folder.files, folder.path() + "/none", "Dockerfile").error().message ==
        "there is no folder " + folder.path() + "/none");
  CHECK(list_context(folder.files, folder.path() + "/Dockerfile", "Dockerfile").error().kind ==
        ErrorKind::invalid);
  folder.file(".dockerignore", "[\n");
  CHECK(folder.names() ==
        "error: " + folder.path() + "/.dockerignore:1: the pattern [ is malformed");
}

TEST_CASE("build context: links that leave it and devices are refused, unless they are ignored") {
  Folder folder;
  folder.file("Dockerfile").file("a/b/file").link("a/up", "../Dockerfile").link("a/b/x", "../../a");
  CHECK(folder.names() == "Dockerfile a a/b a/b/file a/b/x a/up ");
  folder.link("a/out", "../../etc/passwd");
  CHECK(folder.names() ==
        "error: a/out in the build context is a link that leaves it (to ../../etc/passwd)");
  folder.file(".dockerignore", "a/out\n");
  folder.link("root", "/etc/passwd");
  CHECK(folder.names() ==
        "error: root in the build context is a link that leaves it (to /etc/passwd)");
  folder.file(".dockerignore", "a/out\nroot\n");
  REQUIRE(::mkfifo((folder.path() + "/pipe").c_str(), 0600) == 0);
  CHECK(folder.names() == "error: pipe in the build context is a device, a pipe or a socket");
  folder.file(".dockerignore", "a/out\nroot\npipe\n");
  CHECK(folder.names() == ".dockerignore Dockerfile a a/b a/b/file a/b/x a/up ");
}

TEST_CASE("build context: the digest follows contents, names, modes and links, not times") {
  Folder folder;
  folder.file("Dockerfile").file("a/b", "content").link("l", "a");
  const auto first = folder.digest();
  CHECK(first.rfind("sha256:", 0) == 0);
  CHECK(first.size() == 71);
  folder.file("a/b", "content");
  const auto path = std::filesystem::path(folder.path() + "/a/b");
  std::filesystem::last_write_time(path, std::filesystem::file_time_type() + std::chrono::hours(9));
  CHECK(folder.digest() == first);
  folder.file("a/b", "contenT");
  const auto changed = folder.digest();
  CHECK(changed != first);
  folder.file("a/b", "content");
  ::chmod(path.c_str(), 0755);
  CHECK(folder.digest() != first);
  ::chmod(path.c_str(), 0644);
  CHECK(folder.digest() == first);
  std::filesystem::remove(folder.path() + "/l");
  folder.link("l", "a/b");
  CHECK(folder.digest() != first);
  std::filesystem::remove(folder.path() + "/l");
  folder.link("m", "a");
  CHECK(folder.digest() != first);
}

TEST_CASE("build context: the archive is the same in parts of any size, and holds every byte") {
  Folder folder;
  const std::string big(3'000'000, 'b');
  folder.file("Dockerfile", "FROM scratch\n").file("big", big).file("empty", "").link("l", "big");
  ::chmod((folder.path() + "/big").c_str(), 0755);
  const auto text = folder.archive(1U << 20U);
  CHECK(folder.archive(1000) == text);
  CHECK(folder.archive(16'000'000) == text);
  std::string seen;
  std::string content;
  tar::Scanner scanner(
      [&](const tar::Member& member) -> Status {
        const auto& entry = member.entry;
        CHECK(entry.owner == 0);
        CHECK(entry.modified_seconds == 315'619'200);
        seen += entry.path + " " + std::to_string(entry.mode) + " " +
                std::to_string(entry.size_bytes) + " " + entry.link + "\n";
        return {};
      },
      [&](const tar::Member& member, std::string_view part) -> Status {
        if (member.entry.path == "big") content += part;
        return {};
      });
  REQUIRE(scanner.feed(text));
  CHECK(scanner.ended());
  CHECK(seen == "Dockerfile 420 13 \nbig 493 3000000 \nempty 420 0 \nl 511 0 big\n");
  CHECK(content == big);
}

TEST_CASE("build context: a file that shrinks while it is sent ends the archive with an error") {
  Folder folder;
  folder.file("Dockerfile", std::string(1000, 'x'));
  const auto entries = folder.list();
  REQUIRE(entries);
  const auto source = context_archive(folder.files, folder.path(), *entries);
  folder.file("Dockerfile", "short");
  const auto part = source(100'000);
  REQUIRE_FALSE(part);
  CHECK(part.error().message ==
        folder.path() + "/Dockerfile became shorter while it was being read");
}

}  // namespace
}  // namespace paas::docker
