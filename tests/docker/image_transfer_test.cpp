// Handing images over, against scripted engines and archives of both forms.
#include "docker/image_transfer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "docker/sha256.hpp"
#include "docker/support/scripted_engine.hpp"
#include "docker/tar.hpp"
#include "system/posix_files.hpp"
#include "system/support/scratch_folder.hpp"

namespace paas::docker {
namespace {

using testing::ScriptedEngine;

const std::string configuration =
    R"({"created":"2026-01-31T08:15:00Z","config":{"Env":["A=1"],"Tty":false},)"
    R"("rootfs":{"type":"layers","diff_ids":["sha256:l1","sha256:l2","sha256:l1"]}})";

std::string digest() { return sha256(configuration); }
std::string hex_digest() { return digest().substr(7); }

std::string layer(char c) { return std::string(3000, c); }

/// As engines up to 24 write it; the third layer is the first one again, as a link.
std::string classic_archive() {
  return tar::archive({
      tar::directory("1"),
      tar::file("1/VERSION", "1.0"),
      tar::file("1/layer.tar", layer('a')),
      tar::directory("2"),
      tar::file("2/layer.tar", layer('b')),
      tar::directory("3"),
      tar::symlink("3/layer.tar", "../1/layer.tar"),
      tar::file(hex_digest() + ".json", configuration),
      tar::file("manifest.json",
                fmt::format(R"([{{"Config":"{}.json","RepoTags":["web:1"],)"
                            R"("Layers":["1/layer.tar","2/layer.tar","3/layer.tar"]}}])",
                            hex_digest())),
      tar::file("repositories", R"({"web":{"1":"3"}})"),
  });
}

/// As newer ones write it.
std::string layout_archive() {
  return tar::archive({
      tar::directory("blobs"),
      tar::directory("blobs/sha256"),
      tar::file("blobs/sha256/l1", layer('a')),
      tar::file("blobs/sha256/l2", layer('b')),
      tar::file("blobs/sha256/" + hex_digest(), configuration),
      tar::file("index.json", "{}"),
      tar::file(
          "manifest.json",
          fmt::format(R"([{{"Config":"blobs/sha256/{}","RepoTags":["web:1"],)"
                      R"("Layers":["blobs/sha256/l1","blobs/sha256/l2","blobs/sha256/l1"]}}])",
                      hex_digest())),
      tar::file("oci-layout", R"({"imageLayoutVersion":"1.0.0"})"),
  });
}

class Fixture {
 public:
  SavedImage open(const std::string& archive) {
    const auto path = scratch_.file("image.tar");
    REQUIRE(files.write_atomically(path, archive, 0600));
    auto image = SavedImage::open(files, path);
    REQUIRE_MESSAGE(image, image.error().message);
    return *image;
  }
  std::string error_of(const std::string& archive) {
    const auto path = scratch_.file("image.tar");
    REQUIRE(files.write_atomically(path, archive, 0600));
    const auto image = SavedImage::open(files, path);
    REQUIRE_FALSE(image);
    CHECK(image.error().kind == ErrorKind::invalid);
    return image.error().message;
  }
  std::string file(const std::string& name) const { return scratch_.file(name); }

  system::PosixFiles files;
  ScriptedEngine http;
  Engine engine{http, "/run/engine.sock", {.name = "target"}};

 private:
  tests::ScratchFolder scratch_;
};

std::string read_all(const SavedImage::Upload& upload, std::size_t capacity = 1000) {
  std::string text;
  while (true) {
    const auto part = upload.source(capacity);
    REQUIRE(part);
    CHECK(part->size() <= capacity);
    if (part->empty()) break;
    text += *part;
  }
  CHECK(text.size() == upload.length_bytes);
  return text;
}

/// The names of an archive's members, and a check that the scanner accepts it to its end.
std::string names_in(const std::string& archive) {
  std::string names;
  tar::Scanner scanner([&](const tar::Member& member) -> Status {
    names += member.entry.path + " ";
    return {};
  });
  REQUIRE(scanner.feed(archive));
  CHECK(scanner.ended());
  return text::replace_all(names, hex_digest(), "CONFIG");
}

TEST_CASE_FIXTURE(Fixture, "image transfer: both forms of archives are understood") {
  for (const auto& archive : {classic_archive(), layout_archive()}) {
    const auto image = open(archive);
    CHECK(image.config_digest() == digest());
    CHECK(image.layers() == std::vector<std::string>{"sha256:l1", "sha256:l2", "sha256:l1"});
    CHECK(image.tags() == std::vector<std::string>{"web:1"});
    CHECK(image.size_bytes() == archive.size());
    CHECK(read_all(image.upload({})) == archive);
    CHECK(image.upload({}).layers_sent == 3);
  }
}

TEST_CASE_FIXTURE(Fixture, "image transfer: layers whose chain is there stay out") {
  const auto classic = open(classic_archive());
  const auto one = classic.upload({"sha256:l1"});
  CHECK(one.layers_skipped == 1);
  CHECK(one.layers_sent == 2);
  // The third layer's link leads to the first one's bytes, so these are sent all the same.
  CHECK(names_in(read_all(one)) ==
        "1 1/VERSION 1/layer.tar 2 2/layer.tar 3 3/layer.tar CONFIG.json manifest.json "
        "repositories ");
  const auto two_first = classic.upload({"sha256:l1,sha256:l2", "sha256:l1,sha256:l2,sha256:l1"});
  CHECK(names_in(read_all(two_first)) ==
        "1 1/VERSION 1/layer.tar 2 3 CONFIG.json manifest.json repositories ");
  const auto all =
      classic.upload({"sha256:l1", "sha256:l1,sha256:l2", "sha256:l1,sha256:l2,sha256:l1"});
  CHECK(all.layers_sent == 0);
  CHECK(names_in(read_all(all)) == "1 1/VERSION 2 3 CONFIG.json manifest.json repositories ");

  const auto layout = open(layout_archive());
  CHECK(names_in(read_all(layout.upload({"sha256:l1", "sha256:l1,sha256:l2"}))) ==
        "blobs blobs/sha256 blobs/sha256/l1 blobs/sha256/CONFIG index.json manifest.json "
        "oci-layout ");
  CHECK(names_in(read_all(layout.upload(
            {"sha256:l1", "sha256:l1,sha256:l2", "sha256:l1,sha256:l2,sha256:l1"}))) ==
        "blobs blobs/sha256 blobs/sha256/CONFIG index.json manifest.json oci-layout ");
}

TEST_CASE_FIXTURE(Fixture, "image transfer: a layer on another chain is not the same layer") {
  // l2 alone is there as a lowest layer: its chain is not l1,l2.
  CHECK(open(classic_archive()).upload({"sha256:l2"}).layers_skipped == 0);
}

TEST_CASE_FIXTURE(Fixture, "image transfer: an upload outlives its image") {
  auto upload = open(classic_archive()).upload({});
  CHECK(read_all(upload) == classic_archive());
}

TEST_CASE_FIXTURE(Fixture, "image transfer: what is no image archive is refused") {
  CHECK(error_of("text") == "not a tar archive: it is cut short");
  CHECK(error_of(tar::archive({tar::file("a", "b")})) ==
        "not an image archive: it lacks manifest.json");
  CHECK(error_of(tar::archive({tar::file("manifest.json", "{}")})) ==
        "not an image archive: its manifest.json is not a list");
  CHECK(
      error_of(tar::archive({tar::file("manifest.json", R"([{"Config":"c"},{"Config":"d"}])")})) ==
      "the archive holds 2 images instead of one");
  CHECK(error_of(tar::archive({tar::file("manifest.json", R"([{"Config":"c","Layers":["l"]}])"),
                               tar::file("c", R"({"rootfs":{"diff_ids":["sha256:1"]}})")})) ==
        "not an image archive: it lacks l");
  CHECK(error_of(tar::archive({tar::file("manifest.json", R"([{"Config":"c","Layers":[]}])"),
                               tar::file("c", R"({"rootfs":{"diff_ids":["sha256:1"]}})")})) ==
        "not an image archive: its layers and its configuration differ");
  CHECK(error_of(tar::archive({tar::file("manifest.json", R"([{"Config":"loop"}])"),
                               tar::symlink("loop", "loop")})) ==
        "not an image archive: it lacks loop");
  const auto whole = classic_archive();
  CHECK(error_of(whole.substr(0, whole.size() / 2)) == "not a tar archive: it is cut short");
}

constexpr const char* image_json = R"({{"Id":"{}","RepoTags":[{}],"RootFS":{{"Layers":[{}]}}}})";
const char* const missing = R"({"message":"No such image"})";
const char* const classic_info = R"({"Driver":"overlay2","DriverStatus":[]})";
const char* const containerd_info =
    R"({"Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})";

TEST_CASE_FIXTURE(Fixture, "image transfer: saving streams into the file and names one tag") {
  http.answer(200, fmt::format(image_json, digest(), R"("web:latest","web:1")", ""));
  http.answer(200, classic_archive());
  const auto image = SavedImage::save(engine, files, "web", file("saved.tar"));
  REQUIRE_MESSAGE(image, image.error().message);
  CHECK(http.requests[1] == "GET /v1.41/images/web:latest/get");
  CHECK(files.read(file("saved.tar")).value() == classic_archive());
  CHECK(image->config_digest() == digest());
}

TEST_CASE_FIXTURE(Fixture, "image transfer: a failed save leaves the old file and no half one") {
  REQUIRE(files.write_atomically(file("saved.tar"), "old", 0600));
  http.answer(200, fmt::format(image_json, digest(), R"("web:1")", ""));
  http.break_off(ErrorKind::unreachable, "connection reset");
  CHECK_FALSE(SavedImage::save(engine, files, "web:1", file("saved.tar")));
  CHECK(files.read(file("saved.tar")).value() == "old");
  CHECK_FALSE(files.info(file("saved.tar.part")).value());
}

TEST_CASE_FIXTURE(Fixture, "image transfer: an image that is there is not sent, only tagged") {
  const auto image = open(classic_archive());
  http.answer(200, fmt::format(image_json, digest(), R"("web:1")", ""));
  CHECK(hand_over(engine, image, {}).value() == false);
  http.answer(200, fmt::format(image_json, digest(), R"("web:0")", ""));
  http.answer(201);
  CHECK(hand_over(engine, image, {}).value() == false);
  CHECK(http.requests.back() == "POST /v1.41/images/" + digest() + "/tag?repo=web&tag=1");
}

TEST_CASE_FIXTURE(Fixture, "image transfer: only what the target lacks is sent, with progress") {
  const auto image = open(classic_archive());
  http.answer(404, missing);
  http.answer(200, classic_info);
  http.answer(200, R"([{"Id":"sha256:base"}])");
  http.answer(200,
              fmt::format(image_json, "sha256:base", R"("base:1")", R"("sha256:l1","sha256:l2")"));
  http.answer(200, R"({"stream":"Loaded image: web:1\n"})");
  http.answer(200, fmt::format(image_json, digest(), R"("web:1")", ""));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> progress;
  const auto sent = hand_over(engine, image, [&](std::uint64_t done, std::uint64_t total) {
    progress.emplace_back(done, total);
  });
  REQUIRE_MESSAGE(sent, sent.error().message);
  CHECK(*sent);
  CHECK(http.requests[4] == "POST /v1.41/images/load?quiet=1");
  const auto& body = http.bodies[4];
  CHECK(names_in(body) ==
        "1 1/VERSION 1/layer.tar 2 3 3/layer.tar CONFIG.json manifest.json repositories ");
  CHECK(progress.front() == std::pair<std::uint64_t, std::uint64_t>(0, body.size()));
  CHECK(progress.back() == std::pair<std::uint64_t, std::uint64_t>(body.size(), body.size()));
}

TEST_CASE_FIXTURE(Fixture, "image transfer: a refused part is followed by the whole archive") {
  const auto image = open(classic_archive());
  const auto begin = [&] {
    http.answer(404, missing);
    if (http.requests.empty()) http.answer(200, classic_info);
    http.answer(200, R"([{"Id":"sha256:base"}])");
    http.answer(200, fmt::format(image_json, "sha256:base", "", R"("sha256:l1","sha256:l2")"));
  };
  begin();
  http.answer(200, R"({"errorDetail":{"message":"open 2/layer.tar: no such file"}})");
  http.answer(200, "");
  http.answer(200, fmt::format(image_json, digest(), R"("web:1")", ""));
  CHECK(hand_over(engine, image, {}).value());
  CHECK(http.bodies[5] == classic_archive());

  // An engine that says yes and does not have it afterwards.
  begin();
  http.answer(200, "");
  http.answer(404, missing);
  http.answer(200, "");
  http.answer(200, fmt::format(image_json, digest(), R"("web:1")", ""));
  CHECK(hand_over(engine, image, {}).value());

  // A target that is gone is not asked again.
  begin();
  http.break_off(ErrorKind::unreachable, "connection reset");
  const auto gone = hand_over(engine, image, {});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::unreachable);
}

TEST_CASE_FIXTURE(Fixture, "image transfer: a whole archive that is refused is not sent twice") {
  const auto image = open(classic_archive());
  http.answer(404, missing);
  http.answer(200, classic_info);
  http.answer(200, "[]");
  http.answer(200, R"({"errorDetail":{"message":"no space left on device"}})");
  const auto sent = hand_over(engine, image, {});
  REQUIRE_FALSE(sent);
  CHECK(describe(sent.error()) == "handing over an image: target: no space left on device");
}

TEST_CASE_FIXTURE(Fixture, "image transfer: containerd's store gets everything unless it has it") {
  const auto image = open(layout_archive());
  const auto inspected = [](const std::string& config) {
    return fmt::format(R"({{"Id":"sha256:manifest","Created":"2026-01-31T08:15:00Z","Config":{},)"
                       R"("RootFS":{{"Layers":["sha256:l1","sha256:l2","sha256:l1"]}}}})",
                       config);
  };
  const auto same = inspected(R"({"Env":["A=1"],"Labels":null,"Hostname":""})");
  http.answer(404, missing);
  http.answer(200, containerd_info);
  http.answer(200, same);
  CHECK(hand_over(engine, image, {}).value() == false);

  http.answer(404, missing);
  http.answer(200, inspected(R"({"Env":["A=2"]})"));
  http.answer(200, "");
  http.answer(404, missing);
  http.answer(200, same);
  CHECK(hand_over(engine, image, {}).value());
  CHECK(http.bodies[5] == layout_archive());
}

}  // namespace
}  // namespace paas::docker
