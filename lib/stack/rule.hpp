// A rule of the load balancer: which requests it takes, and what becomes of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stack/traffic.hpp"

namespace paas::stack {

/// A service and its part of a rule's requests, beside the weights of the others.
struct Share {
  std::string service;
  int weight = 0;  ///< 0: none.
  friend bool operator==(const Share&, const Share&) = default;
};

struct Redirect {
  /// "https://www.example.com" keeps the request's path and query; with a path of its own, and
  /// where it is a path alone, it is the whole new place.
  std::string to;
  int code = 302;
  friend bool operator==(const Redirect&, const Redirect&) = default;
};

/// All conditions have to hold; those that are empty do. It has exactly one of `to`, `split` and
/// `redirect`.
struct Rule {
  std::string host;  ///< "api.example.com"; "*.example.com" is all names below.
  std::string path;  ///< "/api" is that path and what lies below, "/api/" only what lies below.
  std::string to;    ///< A service of type web.
  std::string exact = {};  ///< The whole path; not beside `path`.
  std::vector<std::string> methods = {};
  /// By name in lower case; "*" stands for any value.
  std::map<std::string, std::string> headers = {};
  std::vector<Share> split = {};
  std::optional<Redirect> redirect = {};
  Limit limit = {};  ///< Instead of what is limited for all.
  friend bool operator==(const Rule&, const Rule&) = default;
};

/// The services that get requests by the rule, in its order.
std::vector<std::string> targets_of(const Rule& rule);
/// Whether it has no condition, so that no rule after it is ever reached.
bool matches_everything(const Rule& rule);
/// Whether a request for the path may match the rule by its path.
bool matches_path(const Rule& rule, const std::string& path);
/// Whether it is certain that `first` takes all that `second` would.
bool covers(const Rule& first, const Rule& second);
bool keeps_path(const Redirect& redirect);

}  // namespace paas::stack
