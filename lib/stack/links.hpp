// What a link gives to the service that has it: its variables, as templates and filled in.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stack/model.hpp"

namespace paas::stack {

/// A template's placeholders in order. `{{` and `}}` stand for single braces; `closed` is false
/// when a brace has no partner.
struct Placeholders {
  std::vector<std::string> names;
  bool closed = true;
};
Placeholders placeholders(std::string_view text);

/// Puts values in for placeholders; one without a value becomes empty.
std::string expand(std::string_view text, const std::map<std::string, std::string>& values);

/// "db" -> "DB", "job-queue" -> "JOB_QUEUE".
std::string variable_prefix(const std::string& service);

/// The URL of `target` as a template, with only those parts that it has, for example
/// "{scheme}://{user}:{password}@{host}:{port}/{database}".
std::string url_template(const Service& target);

/// The placeholders that have a value in links to `target`.
std::vector<std::string> link_placeholders(const Service& target);

/// The variables of a link by name, as templates: the default ones (DB_HOST, DB_PORT, DB_USER,
/// DB_PASSWORD, DB_NAME, DB_URL, as far as `target` has them), and those that the link adds.
std::map<std::string, std::string> link_templates(const Service& target, const Link& link);

/// Where a link leads and what opens it.
struct LinkDetails {
  std::string host;
  int port = 0;
  std::string password;   ///< As it is in {password}, percent-encoded in {url}.
  std::string user = {};  ///< Whose password that is; empty: the first that the target declares.
};

/// The variables of a link with their values.
std::map<std::string, std::string> link_environment(const Service& target, const Link& link,
                                                    const LinkDetails& details);

/// The environment of `service`'s own container that its credentials ask for. An empty user is the
/// first that it declares.
std::map<std::string, std::string> credentials_environment(const Service& service,
                                                           const std::string& user,
                                                           const std::string& password);

}  // namespace paas::stack
