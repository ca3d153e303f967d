// Writes YAML's block style: JSON's own quoting is right for it wherever quotes are needed.
#include "report/yaml.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace paas::report {

namespace {

using Json = nlohmann::ordered_json;

/// Whether the text means itself without quotes: a word that is no other word for YAML 1.1 or 1.2.
bool is_plain(const std::string& text) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/";
  constexpr std::string_view others = "0123456789_-./";
  constexpr std::array<std::string_view, 9> taken = {"true", "false", "null", "yes", "no",
                                                     "on",   "off",   "y",    "n"};
  if (text.empty() || letters.find(text.front()) == std::string_view::npos) return false;
  const auto allowed = [&](char c) {
    return letters.find(c) != std::string_view::npos || others.find(c) != std::string_view::npos;
  };
  return std::all_of(text.begin(), text.end(), allowed) &&
         std::find(taken.begin(), taken.end(), text::lower(text)) == taken.end();
}

std::string scalar(const Json& value) {
  if (value.is_string() && is_plain(value.get<std::string>())) return value.get<std::string>();
  return value.dump();
}

void write(const Json& value, std::size_t indent, std::string& out);

/// What stands behind "key:" or "-".
void write_child(const Json& value, std::size_t indent, std::string& out) {
  if (!value.is_structured() || value.empty()) {
    out += " " + scalar(value) + "\n";
    return;
  }
  out += "\n";
  write(value, indent + 2, out);
}

void write(const Json& value, std::size_t indent, std::string& out) {
  const std::string blanks(indent, ' ');
  if (value.is_object() && !value.empty()) {
    for (const auto& [key, child] : value.items()) {
      out += blanks + scalar(Json(key)) + ":";
      write_child(child, indent, out);
    }
  } else if (value.is_array() && !value.empty()) {
    for (const auto& child : value) {
      if (child.is_structured() && !child.empty()) {
        // The first line of an item stands behind its dash.
        std::string item;
        write(child, indent + 2, item);
        out += blanks + "- " + item.substr(indent + 2);
      } else {
        out += blanks + "- " + scalar(child) + "\n";
      }
    }
  } else {
    out += blanks + scalar(value) + "\n";
  }
}

}  // namespace

std::string to_yaml(std::string_view json) {
  const auto document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) return std::string(json);
  std::string out;
  write(document, 0, out);
  return out;
}

}  // namespace paas::report
