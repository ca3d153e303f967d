// One request to an engine before it becomes HTTP, and reading the answer's JSON without
// exceptions.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace paas::docker {

struct Call {
  std::string method = "GET";
  std::string path{};  ///< Below the version: "/containers/json".
  std::vector<std::pair<std::string, std::string>> query{};
  nlohmann::json json = nullptr;                             ///< The body, unless null.
  Secret registry_login{};                                   ///< X-Registry-Auth, unless empty.
  std::function<Result<std::string>(std::size_t)> source{};  ///< A streamed tar archive.
  std::optional<std::uint64_t> length{};
  std::function<Status(std::string_view)> on_body{};
  /// Zero for streams and for what may take as long as it takes.
  std::chrono::milliseconds timeout{60'000};
};

constexpr std::chrono::milliseconds unlimited{0};

/// Percent-encodes what may not stand in a path; "/" stays, because image names have it.
std::string encode_path(std::string_view text);
std::string encode_query(std::string_view text);
/// "/path?name=value&..." of a call.
std::string target_of(const Call& call);

/// Error (invalid): a text in it is not UTF-8.
Result<std::string> dump(const nlohmann::json& value);

/// The member, or null where there is none or `value` is no object.
const nlohmann::json& member(const nlohmann::json& value, const char* name);
/// The text, or "" for anything else.
std::string text_of(const nlohmann::json& value);
std::int64_t integer_of(const nlohmann::json& value);
std::vector<std::string> texts_of(const nlohmann::json& value);
std::map<std::string, std::string> labels_of(const nlohmann::json& value);

/// The engine's `filters` parameter: {"label": [...]}.
std::string label_filter(const std::vector<std::string>& labels);

}  // namespace paas::docker
