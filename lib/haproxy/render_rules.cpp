// The rules of the public frontend: conditions, and where requests go.
//
// Which server of several services gets a request is drawn once for a request and written down in a
// variable, so that the parts are exactly as they were asked for. A redirect is a backend of its
// own, because `http-request redirect` in the frontend would come before every `use_backend`, also
// those of rules that stand before it.
#include <fmt/format.h>

#include "base/text.hpp"
#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

using stack::Rule;

/// Whether one of several services is drawn.
bool is_drawn(const Rule& rule) { return targets_of(rule).size() > 1; }

std::string target_of(const Rule& rule, std::size_t number) {
  return rule.redirect ? fmt::format("{}{}", rule_prefix, number) : targets_of(rule).front();
}

/// Writes the conditions of one rule as named ACLs.
class Conditions {
 public:
  Conditions(Output out, const Rule& rule, std::size_t number)
      : out_(out), rule_(rule), number_(number) {}

  void render() {
    render_host();
    render_path();
    if (!rule_.methods.empty()) put("method", "method " + text::join(rule_.methods, " "));
    render_headers();
  }

  /// " rule-1-host rule-1-path": all have to hold; nothing when there is none.
  std::string all() const {
    std::string condition;
    const auto needs = [&](bool is_set, std::string_view part) {
      if (is_set) condition += fmt::format(" rule-{}-{}", number_, part);
    };
    needs(!rule_.host.empty(), "host");
    needs(!rule_.path.empty() && rule_.path != "/", "path");
    needs(!rule_.exact.empty(), "path");
    needs(!rule_.methods.empty(), "method");
    for (const auto& [name, value] : rule_.headers) needs(true, "header-" + name);
    return condition;
  }

 private:
  void put(std::string_view part, std::string_view criterion) {
    fmt::format_to(out_, "    acl rule-{}-{} {}\n", number_, part, criterion);
  }

  void render_host() {
    if (rule_.host.empty()) return;
    const auto host = text::lower(rule_.host);
    // host_only takes the port off and lowers the case.
    put("host", host.starts_with("*.") ? "req.hdr(host),host_only -m end " + host.substr(1)
                                       : "req.hdr(host),host_only " + host);
  }

  void render_path() {
    if (!rule_.exact.empty()) put("path", "path " + rule_.exact);
    const auto& path = rule_.path;
    if (path.empty() || path == "/") return;
    // "/api" is that path and what lies below it, never "/apix"; "/api/" is only what lies below.
    if (!path.ends_with('/')) put("path", "path " + path);
    put("path", "path_beg " + path + (path.ends_with('/') ? "" : "/"));
  }

  /// fhdr compares a line's whole value, where hdr would take it apart at commas.
  void render_headers() {
    for (const auto& [name, value] : rule_.headers) {
      const auto sample = fmt::format("req.fhdr({})", name);
      put("header-" + name, sample + (value == "*" ? " -m found" : " -m str -- " + value));
    }
  }

  Output out_;
  const Rule& rule_;
  std::size_t number_;
};

/// Takes the parts one after another: what is drawn below the sum of the first ones is theirs.
void render_draw(Output out, const Rule& rule, std::size_t number, const std::string& condition) {
  int total = 0;
  for (const auto& share : rule.split) total += share.weight;
  fmt::format_to(out, "    http-request set-var(txn.draw_{}) rand({}){}{}\n", number, total,
                 condition.empty() ? "" : " if", condition);
}

/// A client that a service knows stays with it, whatever is drawn.
void render_known(Output out, const Setup& setup, const Rule& rule, const std::string& condition) {
  for (const auto& target : targets_of(rule)) {
    for (const auto& backend : setup.backends) {
      if (backend.name != target || !backend.sticky) continue;
      fmt::format_to(out, "    use_backend {0} if{1} {{ {2},in_table({0}) -m bool }}\n", target,
                     condition, sticky_key(*backend.sticky));
    }
  }
}

void render_split(Output out, const Rule& rule, std::size_t number, const std::string& condition) {
  int bound = 0;
  const auto targets = targets_of(rule);
  for (const auto& share : rule.split) {
    if (share.weight == 0 || share.service == targets.back()) continue;
    bound += share.weight;
    fmt::format_to(out, "    use_backend {} if{} {{ var(txn.draw_{}) -m int lt {} }}\n",
                   share.service, condition, number, bound);
  }
}

/// How a rule is told from the others where it comes to `use_backend`; nothing: it takes all.
std::string condition_of(const Conditions& conditions, const Rule& rule, std::size_t number,
                         bool numbered) {
  if (!numbered || matches_everything(rule)) return conditions.all();
  return fmt::format(" {{ var(txn.rule) -m int {} }}", number);
}

/// The first rule that matches leaves its number.
void render_number(Output out, std::size_t number, const std::string& condition) {
  const std::string free = number == 1 ? "" : " !{ var(txn.rule) -m found }";
  fmt::format_to(out, "    http-request set-var(txn.rule) int({}){}{}{}\n", number,
                 condition.empty() && free.empty() ? "" : " if", free, condition);
}

}  // namespace

std::vector<Rule> reachable(const std::vector<Rule>& rules) {
  std::vector<Rule> result;
  for (const auto& rule : rules) {
    result.push_back(rule);
    if (matches_everything(rule)) break;
  }
  return result;
}

/// `http-request` has to stand before every `use_backend`, and what it looks at before that.
void render_choices(Output out, const std::vector<Rule>& all) {
  const auto rules = reachable(all);
  const bool numbered = is_numbered(all);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!numbered && !is_drawn(rules[i])) continue;
    Conditions conditions(out, rules[i], i + 1);
    conditions.render();
    if (numbered) render_number(out, i + 1, conditions.all());
    if (is_drawn(rules[i])) {
      render_draw(out, rules[i], i + 1, condition_of(conditions, rules[i], i + 1, numbered));
    }
  }
}

void render_rules(Output out, const Setup& setup) {
  const auto rules = reachable(setup.rules);
  const bool numbered = is_numbered(setup.rules);
  std::size_t number = 0;
  for (const auto& rule : rules) {
    Conditions conditions(out, rule, ++number);
    const auto condition = condition_of(conditions, rule, number, numbered);
    if (is_drawn(rule)) {
      render_known(out, setup, rule, condition);
      render_split(out, rule, number, condition);
    } else if (!numbered) {
      conditions.render();
    }
    const auto target = is_drawn(rule) ? targets_of(rule).back() : target_of(rule, number);
    if (condition.empty()) {
      // It matches everything, so no rule after it is ever reached.
      fmt::format_to(out, "    default_backend {}\n", target);
      return;
    }
    fmt::format_to(out, "    use_backend {} if{}\n", target, condition);
  }
  fmt::format_to(out, "    default_backend {}\n", unmatched_backend);
}

void render_answers(Output out, const std::vector<Rule>& all) {
  const auto rules = reachable(all);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& redirect = rules[i].redirect;
    if (!redirect) continue;
    // A percent sign would begin one of HAProxy's own variables.
    fmt::format_to(out,
                   "\nbackend {}{}\n"
                   "    http-request redirect {} {} code {}\n",
                   rule_prefix, i + 1, keeps_path(*redirect) ? "prefix" : "location",
                   text::replace_all(redirect->to, "%", "%%"), redirect->code);
  }
  fmt::format_to(out,
                 "\nbackend {}\n"
                 "    http-request return status 404 content-type text/plain "
                 "string \"404 Not Found: no rule matches this address\\n\"\n",
                 unmatched_backend);
}

}  // namespace paas::haproxy
