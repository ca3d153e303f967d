// Answers /v2/registry and /v2/registries: a container registry's record and its credentials. No
// registry is behind it; images go to servers over SSH.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_name_length = 63;
constexpr const char* default_region = "nyc3";
constexpr const char* host = "registry.digitalocean.com";

struct Tier {
  const char* slug;
  const char* name;
  std::int64_t repositories;  ///< 0: any number.
  std::int64_t gibibytes;
  std::int64_t price_in_cents;
};

/// As DigitalOcean publishes them.
constexpr Tier tiers[] = {{"starter", "Starter", 1, 1, 0},
                          {"basic", "Basic", 5, 5, 500},
                          {"professional", "Professional", 0, 100, 2000}};

const Tier* find_tier(const std::string& slug) {
  const auto* found = std::find_if(std::begin(tiers), std::end(tiers),
                                   [&](const Tier& tier) { return tier.slug == slug; });
  return found == std::end(tiers) ? nullptr : found;
}

bool is_registry_name(const std::string& name) {
  return !name.empty() && name.size() <= max_name_length &&
         std::all_of(name.begin(), name.end(), [](unsigned char letter) {
           return std::islower(letter) != 0 || std::isdigit(letter) != 0 || letter == '-';
         });
}

Json tier_view(const Tier& tier) {
  constexpr std::int64_t gibibyte = 1024 * 1024 * 1024;
  return {{"name", tier.name},
          {"slug", tier.slug},
          {"included_repositories", tier.repositories},
          {"included_storage_bytes", tier.gibibytes * gibibyte},
          {"allow_storage_overage", tier.price_in_cents > 0},
          {"included_bandwidth_bytes", tier.gibibytes * gibibyte},
          {"monthly_price_in_cents", tier.price_in_cents},
          {"storage_overage_price_in_cents", tier.price_in_cents > 0 ? 2 : 0}};
}

Json view_of(const Registry& registry) {
  const auto created = view::time(registry.created);
  const auto* tier = find_tier(registry.tier);
  return {{"name", registry.name},
          {"region", registry.region},
          {"created_at", created},
          {"storage_usage_bytes", 0},
          {"storage_usage_bytes_updated_at", created},
          {"subscription",
           {{"tier", tier_view(tier == nullptr ? tiers[0] : *tier)},
            {"created_at", created},
            {"updated_at", created}}}};
}

/// The one of /v2/registry, or the one that the path names.
Result<Registry*> registry_of(Turn& turn, const Call& call) {
  auto& registries = turn.state.registries;
  if (call.arguments.empty()) {
    if (registries.empty()) return precondition_failed("registry does not exist");
    return &registries.begin()->second;
  }
  const auto found = registries.find(call.arguments[0]);
  if (found == registries.end()) return not_found();
  return &found->second;
}

Result<Reply> list(Turn& turn, const Call& call) {
  auto registries = select(turn.state.registries, [](const Registry&) { return true; });
  return list_reply(call, "registries", registries,
                    [](const Registry& registry) { return view_of(registry); });
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  PAAS_TRY(const auto tier, text_field(call.body, "subscription_tier_slug"));
  PAAS_TRY(const auto region, text_field(call.body, "region"));
  if (!is_registry_name(name.value_or(""))) return invalid("invalid registry name");
  if (find_tier(tier.value_or("")) == nullptr) return invalid("invalid subscription tier");
  const std::vector<std::string> regions = {"nyc3", "sfo3", "ams3", "sgp1", "fra1"};
  if (region && !contains(regions, *region)) return invalid("invalid region");
  auto& registries = turn.state.registries;
  if (registries.contains(*name)) return fail(ErrorKind::exists, "name already exists");
  // Only the professional tier has more than one.
  if (!registries.empty() && *tier != "professional") {
    return precondition_failed("registry already exists");
  }
  const auto& made = registries[*name] =
      Registry{*name, region.value_or(default_region), *tier, turn.now()};
  return Reply{201, {{"registry", view_of(made)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  PAAS_TRY(const auto* registry, registry_of(turn, call));
  return Reply{200, {{"registry", view_of(*registry)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  PAAS_TRY(const auto* registry, registry_of(turn, call));
  turn.state.registries.erase(std::string(registry->name));
  return Reply{204, {}};
}

/// The configuration of a Docker client. Its password is none of the API's: no registry takes it.
Result<Reply> credentials(Turn& turn, const Call& call) {
  PAAS_CHECK(registry_of(turn, call));
  const auto expiry = call.query("expiry_seconds");
  if (!expiry.empty() && text::to_integer(expiry).value_or(-1) < 0) {
    return invalid("expiry_seconds must be a number that is not negative");
  }
  const auto write = call.query("read_write");
  if (!write.empty() && write != "true" && write != "false") {
    return invalid("read_write must be true or false");
  }
  const auto password = new_uuid(turn.state);
  const auto login = text::base64_encode(password + ":" + password);
  return Reply{200, {{"auths", {{host, {{"auth", login}}}}}}};
}

}  // namespace

std::vector<ApiRoute> registry_routes() {
  return {{"GET", "/v2/registry", get},
          {"POST", "/v2/registry", create},
          {"DELETE", "/v2/registry", remove},
          {"GET", "/v2/registry/docker-credentials", credentials},
          {"GET", "/v2/registries", list},
          {"POST", "/v2/registries", create},
          {"GET", "/v2/registries/{}", get},
          {"DELETE", "/v2/registries/{}", remove},
          {"GET", "/v2/registries/{}/docker-credentials", credentials}};
}

}  // namespace paas::cloud
