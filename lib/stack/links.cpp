// Names and fills in the variables of links.
#include "stack/links.hpp"

#include <fmt/format.h>

#include <functional>

#include "base/text.hpp"

namespace paas::stack {

namespace {

/// Walks a template: `literal` gets each piece of text, `placeholder` each name.
bool walk(std::string_view text, const std::function<void(std::string_view)>& literal,
          const std::function<void(std::string_view)>& placeholder) {
  while (!text.empty()) {
    const auto brace = text.find_first_of("{}");
    literal(text.substr(0, brace));
    if (brace == std::string_view::npos) return true;
    text.remove_prefix(brace);
    if (text.size() > 1 && text[1] == text[0]) {
      literal(text.substr(0, 1));
      text.remove_prefix(2);
      continue;
    }
    const auto end = text.find('}');
    if (text[0] == '}' || end == std::string_view::npos) return false;
    placeholder(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
  }
  return true;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view unreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    if (unreserved.find(c) != std::string_view::npos) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace

Placeholders placeholders(std::string_view text) {
  Placeholders found;
  found.closed = walk(
      text, [](std::string_view) {},
      [&](std::string_view name) { found.names.emplace_back(name); });
  return found;
}

std::string expand(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string result;
  walk(
      text, [&](std::string_view piece) { result += piece; },
      [&](std::string_view name) {
        if (const auto value = values.find(std::string(name)); value != values.end()) {
          result += value->second;
        }
      });
  return result;
}

std::string variable_prefix(const std::string& service) {
  std::string result;
  for (const char c : service) {
    result += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return result;
}

std::string url_template(const Service& target) {
  std::string result = "{scheme}://";
  if (target.credentials) {
    // Redis and its like take a password without a user: "redis://:secret@host".
    result += target.credentials->user.empty() ? ":{password}@" : "{user}:{password}@";
  }
  result += "{host}:{port}";
  if (target.credentials && !target.credentials->database.empty()) result += "/{database}";
  return result;
}

std::vector<std::string> link_placeholders(const Service& target) {
  std::vector<std::string> names = {"host", "port", "scheme", "url"};
  if (target.credentials) {
    names.emplace_back("password");
    if (!target.credentials->user.empty()) names.emplace_back("user");
    if (!target.credentials->database.empty()) names.emplace_back("database");
  }
  return names;
}

std::map<std::string, std::string> link_templates(const Service& target, const Link& link) {
  const auto prefix = variable_prefix(target.name);
  std::map<std::string, std::string> result = {
      {prefix + "_HOST", "{host}"}, {prefix + "_PORT", "{port}"}, {prefix + "_URL", "{url}"}};
  if (target.credentials) {
    result[prefix + "_PASSWORD"] = "{password}";
    if (!target.credentials->user.empty()) result[prefix + "_USER"] = "{user}";
    if (!target.credentials->database.empty()) result[prefix + "_NAME"] = "{database}";
  }
  for (const auto& [name, value] : link.env) result[name] = value;
  return result;
}

std::map<std::string, std::string> link_environment(const Service& target, const Link& link,
                                                    const LinkDetails& details) {
  std::map<std::string, std::string> values = {
      {"host", details.host}, {"port", std::to_string(details.port)}, {"scheme", target.scheme}};
  if (target.credentials) {
    values["user"] = details.user.empty() ? target.credentials->user : details.user;
    values["database"] = target.credentials->database;
  }
  auto url_values = values;
  url_values["password"] = percent_encode(details.password);
  values["password"] = details.password;
  values["url"] = expand(url_template(target), url_values);
  auto result = link_templates(target, link);
  for (auto& [name, value] : result) value = expand(value, values);
  return result;
}

std::map<std::string, std::string> credentials_environment(const Service& service,
                                                           const std::string& user,
                                                           const std::string& password) {
  std::map<std::string, std::string> result;
  if (!service.credentials) return result;
  const auto& credentials = *service.credentials;
  const std::map<std::string, std::string> values = {
      {"user", user.empty() ? credentials.user : user},
      {"database", credentials.database},
      {"password", password}};
  for (const auto& [name, value] : service.credentials->env) result[name] = expand(value, values);
  return result;
}

}  // namespace paas::stack
