// Environment variables that links, credentials and the service itself give to a container.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "lockfile/model.hpp"
#include "stack/links.hpp"
#include "stack/model.hpp"

namespace paas::plan {

struct Variables {
  std::map<std::string, std::string> values;
  std::set<std::string> secret;  ///< Names whose values hold a password.
  /// Variables whose value is not known yet, because the other end has no address or no password.
  std::set<std::string> unknown;
};

/// Where those that link to a service find it. Absent while that is not known.
std::optional<stack::LinkDetails> endpoint_of(const stack::Stack& stack,
                                              const lockfile::Lockfile& lockfile,
                                              const stack::Service& service);

/// Everything but PAAS_SERVER and PAAS_RELEASE, which differ from container to container.
Variables environment_of(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const stack::Service& service);

/// What one link adds, with {placeholders} filled in.
Variables link_variables(const stack::Stack& stack, const lockfile::Lockfile& lockfile,
                         const stack::Link& link);

/// Whether a template's value holds a password: {password}, or {url}.
bool has_secret(const std::string& text);

/// A digest over names and values: equal digests mean equal environments.
std::string environment_digest(const std::map<std::string, std::string>& values);

/// The server that answers for a db or cache: its newest that is not leaving.
const lockfile::Server* serving(const lockfile::Lockfile& lockfile, const std::string& service);

}  // namespace paas::plan
