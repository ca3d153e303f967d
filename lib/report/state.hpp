// What a lockfile says, for people and for programs; no secret is shown.
#pragma once

#include <string>

#include "lockfile/model.hpp"
#include "plan/verify.hpp"
#include "report/plan_text.hpp"

namespace paas::report {

/// Where it comes from, a table of services, and a table of all that it knows of the cloud.
std::string state_text(const lockfile::Lockfile& lockfile, Color color);

/// Fields are added and never change their meaning while format_version stays the same:
/// {"format_version": 1, "lineage", "serial", "paasctl_version", "stack", "region", "cloud":
/// {"url", "account"}, "services": [{"name", "count", "next_number", "slots", "internal_port" (0:
/// none), "release" (0: none), "image_digest", "password"}], "resources": [{"address", "kind",
/// "name", "id" (empty: intended)}], "servers": [{"name", "service", "number", "droplet_id",
/// "public_address", "private_address", "host_key", "size", "region", "image", "prepared",
/// "release", "slot", "leaving", "created"}], "volumes": [{"name", "service", "id",
/// "size_gigabytes", "region"}]}. A password is "***", or empty when there is none.
std::string state_json(const lockfile::Lockfile& lockfile);

/// A table of what the lockfile knows, then one of what it does not.
std::string verification_text(const plan::Verification& verification);

/// {"format_version": 1, "stack", "holds", "resources": [{"address", "kind", "name", "id",
/// "condition" (ok, missing, differs, unknown), "detail"}], "orphans": [{"kind" (droplet, firewall,
/// volume), "name", "id", "removable", "detail"}]}
std::string verification_json(const std::string& stack, const plan::Verification& verification);

}  // namespace paas::report
