// Paths, queries and JSON of requests to an engine.
#include "docker/call.hpp"

#include <fmt/format.h>

namespace paas::docker {
namespace {

std::string encode(std::string_view text, std::string_view kept) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || kept.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace

std::string encode_path(std::string_view text) { return encode(text, "-._~/:@"); }

std::string encode_query(std::string_view text) { return encode(text, "-._~"); }

std::string target_of(const Call& call) {
  std::string target = call.path;
  char separator = '?';
  for (const auto& [name, value] : call.query) {
    target += separator + name + '=' + encode_query(value);
    separator = '&';
  }
  return target;
}

Result<std::string> dump(const nlohmann::json& value) {
  try {
    return value.dump();
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorKind::invalid, "a text for Docker Engine is not valid UTF-8");
  }
}

const nlohmann::json& member(const nlohmann::json& value, const char* name) {
  static const nlohmann::json nothing = nullptr;
  if (!value.is_object()) return nothing;
  const auto found = value.find(name);
  return found == value.end() ? nothing : *found;
}

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t integer_of(const nlohmann::json& value) {
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

std::vector<std::string> texts_of(const nlohmann::json& value) {
  std::vector<std::string> texts;
  if (!value.is_array()) return texts;
  for (const auto& item : value) texts.push_back(text_of(item));
  return texts;
}

std::map<std::string, std::string> labels_of(const nlohmann::json& value) {
  std::map<std::string, std::string> labels;
  if (!value.is_object()) return labels;
  for (const auto& [key, text] : value.items()) labels[key] = text_of(text);
  return labels;
}

std::string label_filter(const std::vector<std::string>& labels) {
  return nlohmann::json{{"label", labels}}.dump(-1, ' ', false,
                                                nlohmann::json::error_handler_t::replace);
}

}  // namespace paas::docker
