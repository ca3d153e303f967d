// Makes a rule of what a user wrote, and says what is wrong with it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/fault.hpp"
#include "cloud/routes.hpp"

namespace paas::cloud::fault {
namespace {

constexpr std::int64_t longest_delay_seconds = 600;
constexpr std::int64_t largest_count = 1'000'000'000;
constexpr std::size_t longest_path = 256;

/// Calls `visit` with each field's name and member, in the order of the help.
template <typename Fields, typename Visit>
void each_field(Fields& wanted, Visit visit) {
  visit("method", wanted.method);
  visit("path", wanted.path);
  visit("nth", wanted.nth);
  visit("share", wanted.share);
  visit("seed", wanted.seed);
  visit("times", wanted.times);
  visit("after", wanted.after);
  visit("status", wanted.status);
  visit("body", wanted.body);
  visit("retry-after", wanted.retry_after);
  visit("time", wanted.time);
  visit("looks", wanted.looks);
  visit("size", wanted.size);
  visit("region", wanted.region);
  visit("limit", wanted.limit);
  visit("action", wanted.action);
  visit("droplet", wanted.droplet);
}

tl::unexpected<Error> wrong(std::string message, std::string hint = {}) {
  return fail(ErrorKind::usage, std::move(message), std::move(hint));
}

/// "did you mean x?", or all that there is when nothing is near.
std::string meant(std::string_view name, const std::vector<std::string>& known) {
  if (const auto near = text::nearest(name, known)) return fmt::format("did you mean {}?", *near);
  return "it is one of " + text::join(known, ", ");
}

Status check_name(std::string_view what, const std::string& name,
                  const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return {};
  return wrong(fmt::format("there is no {} \"{}\"", what, name), meant(name, known));
}

Result<const Description*> description_of(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& description : descriptions()) {
    if (description.name == name) return &description;
    names.emplace_back(description.name);
  }
  return wrong(fmt::format("there is no fault \"{}\"", name), meant(name, names));
}

/// Options that say which requests; machines' faults take none of them.
bool takes(const Description& description, std::string_view option) {
  const auto& own = description.options;
  if (std::find(own.begin(), own.end(), option) != own.end()) return true;
  const auto choosing = std::vector<std::string_view>{"nth", "share", "seed", "times"};
  return !is_of_machine(description.kind) && description.kind != Kind::droplet_limit &&
         std::find(choosing.begin(), choosing.end(), option) != choosing.end();
}

Status check_options(const Wanted& wanted, const Description& description) {
  std::vector<std::string> refused;
  each_field(wanted, [&](const char* name, const auto& value) {
    if (value && !takes(description, name)) refused.push_back(std::string("--") + name);
  });
  if (refused.empty()) return {};
  return wrong(
      fmt::format("the fault {} takes no {}", description.name, text::join(refused, " or ")));
}

Status check_range(const char* name, const std::optional<std::int64_t>& value, std::int64_t lowest,
                   std::int64_t highest) {
  if (!value || (*value >= lowest && *value <= highest)) return {};
  return wrong(fmt::format("--{} must be from {} to {}, not {}", name, lowest, highest, *value));
}

/// A decimal fraction and nothing else.
std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

Result<double> share_of(const std::string& text) {
  const bool percent = text.ends_with('%');
  const auto value = number(std::string_view(text).substr(0, text.size() - (percent ? 1 : 0)));
  const auto share = value.value_or(-1) / (percent ? 100 : 1);
  if (share <= 0 || share > 1) {
    return wrong(fmt::format("--share: \"{}\" is no share such as 10% or 0.1", text));
  }
  return share;
}

Result<std::int64_t> milliseconds_of(const std::string& text) {
  const bool milliseconds = text.ends_with("ms");
  const bool seconds = !milliseconds && text.ends_with('s');
  const auto digits = std::string_view(text).substr(0, text.size() - (milliseconds ? 2 : 1));
  const auto value = milliseconds || seconds ? number(digits).value_or(-1) : -1;
  const auto result = value * (seconds ? 1000 : 1);
  if (result < 1 || result > longest_delay_seconds * 1000) {
    return wrong(fmt::format("--time: \"{}\" is no time such as 500ms or 2s, up to {}s", text,
                             longest_delay_seconds));
  }
  return static_cast<std::int64_t>(std::llround(result));
}

/// Whether a segment of a route, which may be {}, can be what the pattern's segment stands for.
bool may_match(const std::string& pattern, const std::string& segment) {
  return segment == "{}" ? !pattern.empty() : matches_path(pattern, segment);
}

bool may_match_route(const std::string& pattern, const std::string& route) {
  const auto left = text::split(pattern, '/');
  const auto right = text::split(route, '/');
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), may_match);
}

/// An operation's pattern has to fit an operation, or the fault would never strike.
Status check_path(const std::string& path) {
  if (path.find('?') != std::string::npos) {
    return wrong(fmt::format("--path: {} has a query, which is no part of a path", path),
                 fmt::format("give {}", path.substr(0, path.find('?'))));
  }
  if (path.size() > longest_path) {
    return wrong(fmt::format("--path: it has more than {} characters", longest_path));
  }
  const auto scope = std::string_view("/v2/");
  const bool anywhere = path.find("**") != std::string::npos;
  if (!path.starts_with(scope) && !path.starts_with("/**")) {
    return wrong(fmt::format("--path: {} is no path of the API", path), "they begin with /v2/");
  }
  if (anywhere) return {};
  std::vector<std::string> operations;
  for (const auto& route : route_patterns()) {
    if (!route.starts_with(scope)) continue;
    if (may_match_route(path, route)) return {};
    operations.push_back(text::replace_all(route, "{}", "*"));
  }
  const auto near = text::nearest(path, operations);
  return wrong(fmt::format("--path: no operation has a path such as {}", path),
               near ? fmt::format("did you mean {}?", *near)
                    : "* stands for one part of a path, and ** for any number of them");
}

Result<std::string> method_of(const std::string& given) {
  std::string method = given;
  std::transform(method.begin(), method.end(), method.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
  PAAS_CHECK(check_name("method", method, {"GET", "POST", "PUT", "PATCH", "DELETE"}));
  return method;
}

template <typename Entries>
std::vector<std::string> slugs(const Entries& entries) {
  std::vector<std::string> all;
  for (const auto& entry : entries) all.push_back(entry.slug);
  return all;
}

Status choose_requests(Rule& rule, const Wanted& wanted) {
  const bool creates = rule.kind == Kind::missing || rule.kind == Kind::stuck ||
                       rule.kind == Kind::sold_out || rule.kind == Kind::droplet_limit;
  rule.path = wanted.path.value_or(creates ? "/v2/droplets" : "/v2/**");
  PAAS_CHECK(check_path(rule.path));
  if (creates || rule.kind == Kind::action_error) rule.method = "POST";
  if (wanted.method) {
    PAAS_TRY(rule.method, method_of(*wanted.method));
  }
  PAAS_CHECK(check_range("nth", wanted.nth, 1, largest_count));
  PAAS_CHECK(check_range("times", wanted.times, 1, largest_count));
  PAAS_CHECK(check_range("seed", wanted.seed, 0, largest_count));
  if (wanted.share) {
    PAAS_TRY(rule.share, share_of(*wanted.share));
  }
  rule.first = wanted.nth.value_or(1);
  rule.seed = static_cast<std::uint64_t>(wanted.seed.value_or(1));
  // "The third request" is one, where nobody says for how many more.
  rule.times = wanted.times.value_or(wanted.nth && !wanted.share ? 1 : 0);
  if (wanted.seed && !wanted.share) return wrong("--seed decides on a --share, which is not given");
  return {};
}

Status choose_status(Rule& rule, const Wanted& wanted) {
  if (!wanted.status) return wrong("the fault status needs --status");
  PAAS_CHECK(check_range("status", wanted.status, 200, 599));
  PAAS_CHECK(check_range("retry-after", wanted.retry_after, 0, 86'400));
  rule.status = static_cast<int>(*wanted.status);
  rule.body = wanted.body.value_or("");
  rule.retry_after_seconds = wanted.retry_after.value_or(-1);
  const bool bodiless = rule.status == 204 || rule.status == 304;
  if (bodiless && !rule.body.empty()) {
    return wrong(fmt::format("an answer with status {} has no body", rule.status));
  }
  return {};
}

Status choose_effect(Rule& rule, const Wanted& wanted) {
  rule.after = wanted.after || rule.kind == Kind::half;
  switch (rule.kind) {
    case Kind::status:
      return choose_status(rule, wanted);
    case Kind::delay:
      if (!wanted.time) return wrong("the fault delay needs --time");
      return milliseconds_of(*wanted.time).map([&](auto value) {
        rule.delay_milliseconds = value;
      });
    case Kind::missing:
      rule.looks = wanted.looks.value_or(3);
      return check_range("looks", wanted.looks, 1, largest_count);
    case Kind::action_error:
      rule.action = wanted.action.value_or("");
      return wanted.action ? check_name("action", rule.action, action_types()) : Status{};
    case Kind::sold_out:
      if (!wanted.size && !wanted.region) {
        return wrong("the fault sold-out needs --size, --region or both");
      }
      rule.size = wanted.size.value_or("");
      rule.region = wanted.region.value_or("");
      if (wanted.size) PAAS_CHECK(check_name("size", rule.size, slugs(catalogue::sizes())));
      return wanted.region ? check_name("region", rule.region, slugs(catalogue::regions()))
                           : Status{};
    case Kind::droplet_limit:
      if (!wanted.limit) return wrong("the fault droplet-limit needs --limit");
      rule.limit = *wanted.limit;
      return check_range("limit", wanted.limit, 0, largest_count);
    default:
      return {};
  }
}

Status read_field(const nlohmann::json& value, const char* name,
                  std::optional<std::string>& field) {
  if (!value.is_string()) return wrong(fmt::format("{} must be a string", name));
  field = value.get<std::string>();
  return {};
}

Status read_field(const nlohmann::json& value, const char* name,
                  std::optional<std::int64_t>& field) {
  if (!value.is_number_integer()) return wrong(fmt::format("{} must be an integer", name));
  field = value.get<std::int64_t>();
  return {};
}

Status read_field(const nlohmann::json& value, const char* name, bool& field) {
  if (!value.is_boolean()) return wrong(fmt::format("{} must be true or false", name));
  field = value.get<bool>();
  return {};
}

void write_field(nlohmann::json& object, const char* name, bool value) {
  if (value) object[name] = true;
}

template <typename Value>
void write_field(nlohmann::json& object, const char* name, const std::optional<Value>& value) {
  if (value) object[name] = *value;
}

}  // namespace

const std::vector<std::string>& action_types() {
  static const std::vector<std::string> types = {
      "create",   "reboot",        "power_cycle",   "shutdown",  "power_off",
      "power_on", "snapshot",      "rename",        "rebuild",   "restore",
      "resize",   "attach_volume", "detach_volume", "assign_ip", "unassign_ip"};
  return types;
}

Result<Rule> make(const Wanted& wanted) {
  PAAS_TRY(const auto* description, description_of(wanted.fault));
  PAAS_CHECK(check_options(wanted, *description));
  Rule rule;
  rule.kind = description->kind;
  if (is_of_machine(rule.kind)) {
    if (!wanted.droplet) {
      return wrong(fmt::format("the fault {} needs --droplet", description->name));
    }
    rule.droplet = *wanted.droplet;
    rule.times = 1;
    return rule;
  }
  PAAS_CHECK(choose_requests(rule, wanted));
  PAAS_CHECK(choose_effect(rule, wanted));
  return rule;
}

nlohmann::json to_json(const Wanted& wanted) {
  nlohmann::json object = {{"fault", wanted.fault}};
  each_field(wanted,
             [&](const char* name, const auto& value) { write_field(object, name, value); });
  return object;
}

Result<Wanted> wanted_from(const nlohmann::json& body) {
  Wanted wanted;
  Status status;
  std::vector<std::string> known = {"fault"};
  each_field(wanted, [&](const char* name, auto& field) {
    known.emplace_back(name);
    const auto found = body.find(name);
    if (status && found != body.end()) status = read_field(*found, name, field);
  });
  PAAS_CHECK(status);
  for (const auto& [name, value] : body.items()) PAAS_CHECK(check_name("field", name, known));
  const auto fault = body.find("fault");
  if (fault == body.end() || !fault->is_string()) return wrong("fault must be a string");
  wanted.fault = fault->get<std::string>();
  return wanted;
}

// Beginnings of the path are followed side by side, so that no pattern takes long.
bool matches_path(std::string_view pattern, std::string_view path) {
  std::vector<bool> fits(path.size() + 1, false);
  fits[0] = true;
  while (!pattern.empty()) {
    std::vector<bool> next(path.size() + 1, false);
    const bool any = pattern.starts_with("**");
    if (pattern.front() == '*') {
      bool open = false;
      for (std::size_t end = 0; end <= path.size(); ++end) {
        if (!any && end > 0 && path[end - 1] == '/') open = false;
        open = open || fits[end];
        next[end] = open;
      }
    } else {
      for (std::size_t end = 0; end < path.size(); ++end) {
        next[end + 1] = fits[end] && path[end] == pattern.front();
      }
    }
    pattern.remove_prefix(any ? 2 : 1);
    fits.swap(next);
  }
  return fits[path.size()];
}

}  // namespace paas::cloud::fault
