// Answers /v2/vpcs.
#include "cloud/vpcs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cloud/catalogue.hpp"
#include "cloud/ip_range.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

constexpr int chosen_prefix_length = 20;
constexpr int shortest_prefix_length = 16;
constexpr int longest_prefix_length = 28;
constexpr std::size_t max_description_length = 255;

/// VPCs without a range of their own get a /20 out of here. Docker's own networks lie elsewhere.
const IpRange& pool() {
  static const IpRange range = *IpRange::parse("10.64.0.0/10");
  return range;
}

bool is_private(const IpRange& range) {
  for (const auto* block : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}) {
    const auto allowed = *IpRange::parse(block);
    if (range.first >= allowed.first && range.last() <= allowed.last()) return true;
  }
  return false;
}

enum class RangeUse { free, own, host };

/// Whether a VPC of this cloud (also one that is going) or a route of this machine has it.
RangeUse use_of(const Turn& turn, const IpRange& range) {
  for (const auto& [id, vpc] : turn.state.vpcs) {
    const auto other = IpRange::parse(vpc.ip_range);
    if (other && other->overlaps(range)) return RangeUse::own;
  }
  for (const auto& text : turn.surroundings.host_ranges) {
    const auto other = IpRange::parse(text);
    // A default route is no use of the range.
    if (other && other->prefix_length > 0 && other->overlaps(range)) return RangeUse::host;
  }
  return RangeUse::free;
}

/// Clouds side by side start at different places of the pool, so that they seldom meet.
Result<std::string> choose_range(Turn& turn) {
  const auto block = std::uint32_t{1} << (32 - chosen_prefix_length);
  const auto count = (pool().last() - pool().first + 1) / block;
  for (std::uint32_t tried = 0; tried < count; ++tried) {
    const auto index = (turn.state.settings.seed + turn.state.next_vpc_range + tried) % count;
    const IpRange range{pool().first + static_cast<std::uint32_t>(index) * block,
                        chosen_prefix_length};
    if (use_of(turn, range) != RangeUse::free) continue;
    turn.state.next_vpc_range += tried + 1;
    return range.text();
  }
  return invalid("No IP range is free for another VPC.");
}

Result<std::string> check_range(const Turn& turn, const std::string& text) {
  const auto range = IpRange::parse(text);
  if (!range || text.find('/') == std::string::npos) {
    return invalid("ip_range must be in CIDR notation, for example 10.10.0.0/20");
  }
  if (range->prefix_length < shortest_prefix_length ||
      range->prefix_length > longest_prefix_length) {
    return invalid(fmt::format("ip_range must be between /{} and /{}", shortest_prefix_length,
                               longest_prefix_length));
  }
  if (!is_private(*range)) return invalid("ip_range must be a private range as of RFC 1918");
  switch (use_of(turn, *range)) {
    case RangeUse::own:
      return invalid("This range/size overlaps with another VPC network in your account: " +
                     range->text());
    case RangeUse::host:
      return invalid("This range/size overlaps with a network of this machine: " + range->text());
    case RangeUse::free:
      break;
  }
  return range->text();
}

bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char character) {
    return std::isalnum(character) != 0 || character == '-' || character == '.';
  });
}

/// `own_id` is the VPC being renamed, or "" for a new one.
Status check_name(const State& state, const std::string& name, const std::string& own_id) {
  if (!is_name(name)) {
    return invalid("name is invalid: only letters, numbers, dashes and periods are allowed");
  }
  for (const auto& [id, vpc] : state.vpcs) {
    if (!vpc.leaving && vpc.name == name && id != own_id) {
      return invalid("a VPC with the same name already exists in your account");
    }
  }
  return {};
}

Vpc& add_vpc(Turn& turn, Vpc vpc) {
  vpc.id = new_uuid(turn.state);
  vpc.created = turn.now();
  auto& added = turn.state.vpcs[vpc.id] = vpc;
  ensure_network(turn, added);
  return added;
}

Result<Reply> list(Turn& turn, const Call& call) {
  return list_reply(call, "vpcs",
                    select(turn.state.vpcs, [](const Vpc& vpc) { return !vpc.leaving; }),
                    view::vpc);
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  PAAS_TRY(const auto region, text_field(call.body, "region"));
  PAAS_TRY(const auto description, text_field(call.body, "description"));
  PAAS_TRY(const auto given_range, text_field(call.body, "ip_range"));
  PAAS_CHECK(check_name(turn.state, name.value_or(""), ""));
  if (catalogue::find_region(region.value_or("")) == nullptr) return invalid("region is invalid");
  if (description.value_or("").size() > max_description_length) {
    return invalid("description is too long (maximum is 255 characters)");
  }
  auto range =
      given_range && !given_range->empty() ? check_range(turn, *given_range) : choose_range(turn);
  if (!range) return fail(range.error());
  Vpc vpc;
  vpc.name = *name;
  vpc.region = *region;
  vpc.description = description.value_or("");
  vpc.ip_range = *range;
  return Reply{201, {{"vpc", view::vpc(add_vpc(turn, std::move(vpc)))}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* vpc = find_vpc(turn.state, call.arguments[0]);
  if (vpc == nullptr) return not_found();
  return Reply{200, {{"vpc", view::vpc(*vpc)}}};
}

/// PUT and PATCH: what is absent stays as it is.
Result<Reply> update(Turn& turn, const Call& call) {
  auto* vpc = find_vpc(turn.state, call.arguments[0]);
  if (vpc == nullptr) return not_found();
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  PAAS_TRY(const auto description, text_field(call.body, "description"));
  if (call.request.method == "PUT" && !name) return invalid("name is required");
  if (name) PAAS_CHECK(check_name(turn.state, *name, vpc->id));
  if (description.value_or("").size() > max_description_length) {
    return invalid("description is too long (maximum is 255 characters)");
  }
  const auto is_default = call.body.find("default");
  const bool make_default =
      is_default != call.body.end() && is_default->is_boolean() && is_default->get<bool>();
  if (name) vpc->name = *name;
  if (description) vpc->description = *description;
  if (make_default) {
    for (auto& [id, other] : turn.state.vpcs) {
      if (other.region == vpc->region) other.is_default = false;
    }
    vpc->is_default = true;
  }
  return Reply{200, {{"vpc", view::vpc(*vpc)}}};
}

/// A machine that is going still holds on to the network.
bool has_members(const State& state, const Vpc& vpc) {
  return std::any_of(state.droplets.begin(), state.droplets.end(),
                     [&](const auto& entry) { return entry.second.vpc_id == vpc.id; });
}

/// Whether the world is at work on the network.
bool is_under_way(const State& state, const Vpc& vpc) {
  return std::any_of(state.outstanding.begin(), state.outstanding.end(), [&](const auto& entry) {
    const auto* kind = std::get_if<CreateNetwork>(&entry.second.effect.kind);
    return kind != nullptr && kind->vpc_id == vpc.id;
  });
}

std::vector<const Droplet*> members_of(const State& state, const std::string& id) {
  return select(state.droplets,
                [&](const Droplet& droplet) { return droplet.vpc_id == id && is_shown(droplet); });
}

Result<Reply> remove(Turn& turn, const Call& call) {
  auto* vpc = find_vpc(turn.state, call.arguments[0]);
  if (vpc == nullptr) return not_found();
  if (vpc->is_default) return fail(ErrorKind::unauthorised, "Can not delete default VPCs");
  if (has_members(turn.state, *vpc)) {
    return fail(ErrorKind::unauthorised, "Can not delete VPC with members");
  }
  vpc->leaving = true;
  emit(turn, RemoveNetwork{vpc->id});
  return Reply{204, {}};
}

Result<Reply> members(Turn& turn, const Call& call) {
  const auto* vpc = find_vpc(turn.state, call.arguments[0]);
  if (vpc == nullptr) return not_found();
  const auto type = call.query("resource_type");
  std::vector<const Droplet*> droplets;
  if (type.empty() || type == "droplet") droplets = members_of(turn.state, vpc->id);
  return list_reply(call, "members", droplets, [](const Droplet& droplet) {
    return Json{{"urn", fmt::format("do:droplet:{}", droplet.id)},
                {"name", droplet.name},
                {"created_at", view::time(droplet.created)}};
  });
}

}  // namespace

Vpc* find_default_vpc(State& state, const std::string& region) {
  for (auto& [id, vpc] : state.vpcs) {
    if (vpc.region == region && vpc.is_default && !vpc.leaving) return &vpc;
  }
  return nullptr;
}

Result<Vpc*> default_vpc(Turn& turn, const std::string& region) {
  if (auto* existing = find_default_vpc(turn.state, region)) {
    // Its range was refused, most likely because something else on this machine took it. Nobody
    // asked for this one and nobody has an address out of it.
    if (!existing->made && !is_under_way(turn.state, *existing) &&
        !has_members(turn.state, *existing)) {
      PAAS_TRY(existing->ip_range, choose_range(turn));
    }
    return existing;
  }
  PAAS_TRY(auto range, choose_range(turn));
  Vpc vpc;
  vpc.name = "default-" + region;
  while (!check_name(turn.state, vpc.name, "")) vpc.name += "-1";
  vpc.region = region;
  vpc.ip_range = range;
  vpc.is_default = true;
  return &add_vpc(turn, std::move(vpc));
}

void ensure_network(Turn& turn, const Vpc& vpc) {
  if (vpc.made || is_under_way(turn.state, vpc)) return;
  emit(turn, CreateNetwork{vpc.id, vpc.ip_range});
}

std::vector<ApiRoute> vpc_routes() {
  return {{"GET", "/v2/vpcs", list},
          {"POST", "/v2/vpcs", create},
          {"GET", "/v2/vpcs/{}", get},
          {"PUT", "/v2/vpcs/{}", update},
          {"PATCH", "/v2/vpcs/{}", update},
          {"DELETE", "/v2/vpcs/{}", remove},
          {"GET", "/v2/vpcs/{}/members", members}};
}

}  // namespace paas::cloud
