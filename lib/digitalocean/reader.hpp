// One object of an answer: reads what is needed and forgives what is optional.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace paas::digitalocean {

/// Whether it is a whole number that fits into 64 bits with a sign, which identifiers do.
inline bool is_integer(const nlohmann::json& value) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return value.is_number_integer() &&
         !(value.is_number_unsigned() && value.get<std::uint64_t>() > most);
}

/// One object of an answer. What is missing, null or of another type reads as the default;
/// `require` notes what must not be missing.
class Reader {
 public:
  Reader(const nlohmann::json& item, std::string what) : item_(item), what_(std::move(what)) {}

  std::string text(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
  }
  std::int64_t integer(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && is_integer(*found) ? found->get<std::int64_t>() : 0;
  }
  /// Nothing for null, which is how the API says that a number does not apply.
  std::optional<int> small_if_any(const char* key) const {
    const auto* found = find(key);
    if (found == nullptr || !found->is_number_integer()) return std::nullopt;
    return small(key);
  }
  /// One that is too large for it reads as the default as well.
  int small(const char* key) const {
    const auto value = integer(key);
    const bool fits =
        value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max();
    return fits ? static_cast<int>(value) : 0;
  }
  double number(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_number() ? found->get<double>() : 0;
  }
  bool flag(const char* key) const {
    const auto* found = find(key);
    return found != nullptr && found->is_boolean() && found->get<bool>();
  }
  std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> values;
    for (const auto& value : list(key)) {
      if (value.is_string()) values.push_back(value.get<std::string>());
    }
    return values;
  }
  std::vector<std::int64_t> integers(const char* key) const {
    std::vector<std::int64_t> values;
    for (const auto& value : list(key)) {
      if (is_integer(value)) values.push_back(value.get<std::int64_t>());
    }
    return values;
  }
  const nlohmann::json& list(const char* key) const {
    static const nlohmann::json empty = nlohmann::json::array();
    const auto* found = find(key);
    return found != nullptr && found->is_array() ? *found : empty;
  }
  /// An object inside; an absent one reads as empty.
  Reader inside(const char* key) const {
    static const nlohmann::json empty = nlohmann::json::object();
    const auto* found = find(key);
    return {found != nullptr ? *found : empty, what_};
  }

  std::string required_text(const char* key) {
    auto value = text(key);
    if (value.empty()) missing_.emplace_back(key);
    return value;
  }
  /// An identifier: they begin at 1.
  std::int64_t required_integer(const char* key) {
    const auto value = integer(key);
    if (value <= 0) missing_.emplace_back(key);
    return value;
  }

  /// The value, or the error that something required was missing.
  template <typename T>
  Result<T> finish(T value) const {
    if (missing_.empty()) return value;
    return fail(ErrorKind::unreachable, fmt::format("the API's answer describes a {} without {}",
                                                    what_, fmt::join(missing_, ", ")));
  }

 private:
  const nlohmann::json* find(const char* key) const {
    if (!item_.is_object()) return nullptr;
    const auto found = item_.find(key);
    return found == item_.end() || found->is_null() ? nullptr : &*found;
  }

  const nlohmann::json& item_;
  std::string what_;
  std::vector<std::string> missing_;
};

}  // namespace paas::digitalocean
