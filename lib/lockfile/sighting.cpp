// Remembers lockfiles in small files of the user's state folder.
#include "lockfile/sighting.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "lockfile/seal.hpp"

namespace paas::lockfile {
namespace {

constexpr std::size_t place_letters = 32;
constexpr std::uint32_t folder_mode = 0700;
constexpr std::uint32_t file_mode = 0600;

}  // namespace

Sightings::Sightings(Files& files, Environment& environment, std::string place)
    : files_(files), environment_(environment), place_(std::move(place)) {}

/// Empty when nothing says where state is kept.
std::string Sightings::folder() const {
  // The XDG base directory specification has relative paths ignored.
  const auto state = environment_.get("XDG_STATE_HOME");
  if (state && !state->empty() && state->front() == '/') return *state + "/paasctl/lockfiles";
  const auto home = environment_.get("HOME");
  return home && !home->empty() ? *home + "/.local/state/paasctl/lockfiles" : "";
}

std::string Sightings::path_of_lineage(const std::string& lineage) const {
  return fmt::format("{}/{}.json", folder(), lineage);
}

std::string Sightings::path_of_place(const std::string& stack) const {
  return fmt::format("{}/place-{}", folder(),
                     sha256_hex(place_ + '\n' + stack).substr(0, place_letters));
}

std::optional<std::string> Sightings::read(const std::string& path) {
  if (folder().empty()) return std::nullopt;
  auto text = files_.read(path);
  if (!text) return std::nullopt;
  return std::move(*text);
}

void Sightings::write(const std::string& path, const std::string& text) {
  if (folder().empty() || read(path) == text) return;
  if (!files_.make_directories(folder(), folder_mode)) return;
  static_cast<void>(files_.write_atomically(path, text, file_mode));
}

std::optional<Sighting> Sightings::newest(const std::string& lineage) {
  if (!is_lineage(lineage)) return std::nullopt;
  const auto text = read(path_of_lineage(lineage));
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto serial = json.find("serial");
  const auto digest = json.find("sha256");
  if (serial == json.end() || !serial->is_number_integer() || digest == json.end() ||
      !digest->is_string()) {
    return std::nullopt;
  }
  return Sighting{lineage, serial->get<std::int64_t>(), digest->get<std::string>()};
}

std::optional<std::string> Sightings::lineage_here(const std::string& stack) {
  const auto text = read(path_of_place(stack));
  if (!text || !is_lineage(text::trim(*text))) return std::nullopt;
  return std::string(text::trim(*text));
}

void Sightings::remember(const Sighting& sighting, const std::string& stack) {
  if (!is_lineage(sighting.lineage)) return;
  const nlohmann::ordered_json json = {{"serial", sighting.serial}, {"sha256", sighting.digest}};
  write(path_of_lineage(sighting.lineage), json.dump() + "\n");
  if (!stack.empty()) write(path_of_place(stack), sighting.lineage + "\n");
}

Status check_sighting(const std::string& location, const Sighting& current,
                      const std::optional<Sighting>& newest,
                      const std::optional<std::string>& here) {
  const auto way_out = fmt::format(
      "nothing was changed: put the right one back from version control or {}.backup; "
      "`paasctl state accept` goes on from this one, `paasctl state show` shows it, and `paasctl "
      "state rebuild --force` makes one from what exists",
      location);
  if (newest && current.serial < newest->serial) {
    return fail(ErrorKind::invalid,
                fmt::format("{} is an older one: it has serial {}, and serial {} was seen here",
                            location, current.serial, newest->serial),
                way_out);
  }
  if (newest && current.serial == newest->serial && current.digest != newest->digest) {
    return fail(ErrorKind::invalid,
                fmt::format("{} is not the one of serial {} that was seen here: it was edited, or "
                            "another machine went on from the one before",
                            location, current.serial),
                way_out);
  }
  if (here && *here != current.lineage) {
    return fail(ErrorKind::invalid,
                fmt::format("{} is another one than before: its lineage is {}, that of the stack "
                            "here was {}",
                            location, current.lineage, *here),
                way_out);
  }
  return {};
}

}  // namespace paas::lockfile
