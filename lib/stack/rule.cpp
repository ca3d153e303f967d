// Compares what rules match.
#include "stack/rule.hpp"

#include <algorithm>
#include <string_view>

namespace paas::stack {

namespace {

bool covers_host(const std::string& first, const std::string& second) {
  if (first.empty() || first == second) return true;
  if (first.substr(0, 2) != "*.") return false;
  // "*.example.com" covers "a.example.com" and "*.a.example.com".
  const auto suffix = std::string_view(first).substr(1);
  return second.size() > suffix.size() &&
         second.compare(second.size() - suffix.size(), suffix.size(), suffix) == 0;
}

/// Whether all paths with the prefix `second` have the prefix `first`.
bool covers_prefix(const std::string& first, const std::string& second) {
  if (first.empty() || first == "/" || first == second) return true;
  const auto folder = first.back() == '/' ? first : first + "/";
  return second.compare(0, folder.size(), folder) == 0;
}

bool covers_path(const Rule& first, const Rule& second) {
  if (!first.exact.empty()) return first.exact == second.exact;
  return covers_prefix(first.path, second.exact.empty() ? second.path : second.exact);
}

bool covers_methods(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  if (first.empty()) return true;
  return !second.empty() && std::all_of(second.begin(), second.end(), [&](const auto& method) {
    return std::find(first.begin(), first.end(), method) != first.end();
  });
}

bool covers_headers(const std::map<std::string, std::string>& first,
                    const std::map<std::string, std::string>& second) {
  return std::all_of(first.begin(), first.end(), [&](const auto& header) {
    const auto found = second.find(header.first);
    return found != second.end() && (header.second == "*" || header.second == found->second);
  });
}

}  // namespace

std::vector<std::string> targets_of(const Rule& rule) {
  std::vector<std::string> targets;
  if (!rule.to.empty()) targets.push_back(rule.to);
  for (const auto& share : rule.split) {
    if (share.weight > 0) targets.push_back(share.service);
  }
  return targets;
}

bool matches_everything(const Rule& rule) { return covers(rule, Rule{"", "", ""}); }

bool matches_path(const Rule& rule, const std::string& path) {
  return rule.exact.empty() ? covers_prefix(rule.path, path) : rule.exact == path;
}

bool covers(const Rule& first, const Rule& second) {
  return covers_host(first.host, second.host) && covers_path(first, second) &&
         covers_methods(first.methods, second.methods) &&
         covers_headers(first.headers, second.headers);
}

bool keeps_path(const Redirect& redirect) {
  const auto scheme = redirect.to.find("://");
  return scheme != std::string::npos && redirect.to.find('/', scheme + 3) == std::string::npos;
}

}  // namespace paas::stack
