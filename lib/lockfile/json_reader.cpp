// Reads members with their types checked, and keeps the first problem.
#include "lockfile/json_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace paas::lockfile {

namespace {

/// Lockfiles are not written by hand: one whose members are of other types was changed or damaged.
constexpr const char* restore_hint = "restore it from its .backup file or from version control";

/// So that the one after it is a number as well: both are counted up.
constexpr std::uint64_t integer_max = 1ULL << 53;
constexpr std::int64_t small_max = 1'000'000'000;

/// A value of another type reads as this object, whose members are all missing.
const Json& empty_object() {
  static const Json empty = Json::object();
  return empty;
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

bool is_word(std::string_view text) {
  constexpr std::string_view marks = "._:/@+-";
  return (text.empty() || text.front() != '-') &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  marks.find(c) != std::string_view::npos;
         });
}

}  // namespace

std::string place_of(const std::string& parent, const std::string& member) {
  if (member.find_first_of("~/") == std::string::npos) return parent + "/" + member;
  return parent + "/" + text::replace_all(text::replace_all(member, "~", "~0"), "/", "~1");
}

std::string seal_place(const std::string& lineage, const std::string& place) {
  return lineage + place;
}

JsonReader::JsonReader(const Json& object, std::string place, Reading& reading)
    : object_(object.is_object() ? object : empty_object()),
      place_(std::move(place)),
      reading_(reading) {
  if (!object.is_object() && !reading_.error) {
    reading_.error = make_error(ErrorKind::invalid, place_ + " is not an object", restore_hint);
  }
}

std::string JsonReader::text(const char* name) {
  const auto* found = find(name);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    wrong(name, "is not a text");
  } else if (has_control_characters(found->get_ref<const std::string&>())) {
    wrong(name, "has control characters");
  } else {
    return found->get<std::string>();
  }
  return {};
}

std::string JsonReader::word(const char* name) {
  auto value = text(name);
  if (is_word(value)) return value;
  wrong(name, "has characters that it must not have");
  return {};
}

std::string JsonReader::number_id(const char* name) {
  auto value = word(name);
  if (value.empty()) return value;
  const auto number = text::to_integer(value);
  if (number && *number > 0 && std::to_string(*number) == value) return value;
  wrong(name, "is not the number that identifies a droplet or a key");
  return {};
}

std::int64_t JsonReader::integer(const char* name, std::int64_t least) {
  const auto* found = find(name);
  if (found == nullptr) return least;
  if (!found->is_number_integer()) {
    wrong(name, "is not a whole number");
  } else if (found->is_number_unsigned() && found->get<std::uint64_t>() > integer_max) {
    wrong(name, "is too large");
  } else if (*found < least) {
    wrong(name, fmt::format("is less than {}", least));
  } else {
    return found->get<std::int64_t>();
  }
  return least;
}

int JsonReader::small(const char* name, int least) {
  const auto value = integer(name, least);
  if (value <= small_max) return static_cast<int>(value);
  wrong(name, "is too large");
  return least;
}

bool JsonReader::flag(const char* name) {
  const auto* found = find(name);
  if (found == nullptr) return false;
  if (found->is_boolean()) return found->get<bool>();
  wrong(name, "is neither true nor false");
  return false;
}

Secret JsonReader::secret(const char* name) {
  const auto sealed = text(name);
  if (sealed.empty() || reading_.error) return {};
  auto opened = unseal(sealed, seal_place(reading_.lineage, place_of(place_, name)), reading_.key);
  if (opened) return std::move(*opened);
  reading_.error = make_error(
      ErrorKind::invalid,
      fmt::format("the secret at {} does not open: the key is another one, or the text was changed",
                  place_of(place_, name)),
      "the key is looked for in PAASCTL_KEY and then in $XDG_CONFIG_HOME/paasctl/keys/" +
          reading_.lineage);
  return {};
}

std::size_t JsonReader::choice(const char* name, const std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), text(name));
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  wrong(name, fmt::format("is none of {}", text::join(words, ", ")));
  return 0;
}

std::vector<int> JsonReader::small_list(const char* name) {
  std::vector<int> values;
  const auto* found = find(name);
  if (found == nullptr) return values;
  if (!found->is_array()) wrong(name, "is not a list");
  for (const auto& item : found->is_array() ? *found : Json::array()) {
    const bool is_small = item.is_number_integer() && item >= 0 && item <= 65535;
    if (!is_small) wrong(name, "has something that is no port");
    values.push_back(is_small ? item.get<int>() : 0);
  }
  return values;
}

std::map<std::string, std::string> JsonReader::words(const char* name) {
  std::map<std::string, std::string> values;
  const auto* found = find(name);
  if (found == nullptr) return values;
  if (!found->is_object()) wrong(name, "is not an object");
  for (const auto& [key, value] : (found->is_object() ? *found : empty_object()).items()) {
    if (key.empty() || !is_word(key) || !value.is_string() || !is_word(value.get<std::string>())) {
      wrong(name, "has a member that is not a name with a word");
    } else {
      values[key] = value.get<std::string>();
    }
  }
  return values;
}

bool JsonReader::has(const char* name) const { return object_.contains(name); }

JsonReader JsonReader::object(const char* name) {
  const auto* found = find(name);
  return {found == nullptr ? empty_object() : *found, place_of(place_, name), reading_};
}

void JsonReader::each(const char* name,
                      const std::function<void(const std::string&, JsonReader)>& read) {
  const auto* found = find(name);
  if (found == nullptr) return;
  if (!found->is_object()) return wrong(name, "is not an object");
  for (const auto& [key, value] : found->items()) {
    if (key.empty() || !is_word(key)) return wrong(name, "has a member that is not a name");
    read(key, JsonReader(value, place_of(place_of(place_, name), key), reading_));
  }
}

void JsonReader::each_item(const char* name, const std::function<void(JsonReader)>& read) {
  const auto* found = find(name);
  if (found == nullptr) return;
  if (!found->is_array()) return wrong(name, "is not a list");
  for (std::size_t i = 0; i < found->size(); ++i) {
    read(JsonReader((*found)[i], place_of(place_of(place_, name), std::to_string(i)), reading_));
  }
}

std::string JsonReader::raw(const char* name) {
  const auto* found = find(name);
  return found == nullptr ? std::string()
                          : found->dump(2, ' ', false, Json::error_handler_t::replace);
}

void JsonReader::refuse(const char* name, const Error& error) {
  wrong(name, "cannot be read: " + error.message);
}

void JsonReader::finish() {
  if (reading_.error) return;
  for (const auto& [name, value] : object_.items()) {
    if (std::find(read_.begin(), read_.end(), name) != read_.end()) continue;
    reading_.error = make_error(ErrorKind::invalid, place_of(place_, name) + " is not known",
                                "a newer paasctl wrote this lockfile; use that one");
    return;
  }
}

const Json* JsonReader::find(const char* name) {
  read_.emplace_back(name);
  const auto found = object_.find(name);
  if (found != object_.end()) return &*found;
  wrong(name, "is missing");
  return nullptr;
}

void JsonReader::wrong(const char* name, const std::string& what) {
  if (reading_.error) return;
  reading_.error =
      make_error(ErrorKind::invalid, place_of(place_, name) + " " + what, restore_hint);
}

}  // namespace paas::lockfile
