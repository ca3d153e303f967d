// `paasctl lb rules`: lists and edits the load balancer's rules.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "edit_stack.hpp"
#include "program.hpp"
#include "report/style.hpp"
#include "session.hpp"
#include "stack/edit.hpp"

namespace paas::cli {

namespace {

using Json = nlohmann::ordered_json;

std::string or_any(const std::string& text) { return text.empty() ? "*" : text; }

std::string path_of(const stack::Rule& rule) {
  return rule.exact.empty() ? or_any(rule.path) : "= " + rule.exact;
}

std::string headers_of(const stack::Rule& rule) {
  std::vector<std::string> texts;
  for (const auto& [name, value] : rule.headers) texts.push_back(name + "=" + value);
  return or_any(text::join(texts, " "));
}

/// "web", "blue 90, green 10", "301 https://www.example.com".
std::string target_of(const stack::Rule& rule) {
  if (rule.redirect) return fmt::format("{} {}", rule.redirect->code, rule.redirect->to);
  std::vector<std::string> shares;
  for (const auto& share : rule.split) {
    shares.push_back(fmt::format("{} {}", share.service, share.weight));
  }
  return shares.empty() ? rule.to : text::join(shares, ", ");
}

Json json_of(const stack::Rule& rule) {
  Json split = Json::object();
  for (const auto& share : rule.split) split[share.service] = share.weight;
  Json redirect = nullptr;
  if (rule.redirect) redirect = {{"to", rule.redirect->to}, {"code", rule.redirect->code}};
  return {{"host", rule.host},
          {"path", rule.path},
          {"to", rule.to},
          {"exact", rule.exact},
          {"methods", rule.methods},
          {"headers", rule.headers},
          {"split", std::move(split)},
          {"redirect", std::move(redirect)}};
}

/// Columns that every rule leaves open are left out.
std::string table_of(const std::vector<stack::Rule>& declared) {
  const auto any = [&](auto&& has) { return std::any_of(declared.begin(), declared.end(), has); };
  const bool by_method = any([](const auto& rule) { return !rule.methods.empty(); });
  const bool by_header = any([](const auto& rule) { return !rule.headers.empty(); });
  std::vector<std::vector<std::string>> rows;
  const auto add_row = [&](std::vector<std::string> row) {
    if (!by_header) row.erase(row.begin() + 4);
    if (!by_method) row.erase(row.begin() + 3);
    rows.push_back(std::move(row));
  };
  add_row({"RULE", "HOST", "PATH", "METHODS", "HEADERS", "TO"});
  for (std::size_t i = 0; i < declared.size(); ++i) {
    const auto& rule = declared[i];
    add_row({std::to_string(i + 1), or_any(rule.host), path_of(rule),
             or_any(text::join(rule.methods, " ")), headers_of(rule), target_of(rule)});
  }
  return report::table(rows);
}

Result<int> rules(Program& program, const NoOptions&) {
  PAAS_TRY(auto session, Session::open(program, Need::text));
  if (!session->stack.lb) {
    return fail(ErrorKind::not_found, "the stack has no load balancer",
                "declare `lb:` in the stack file");
  }
  const auto& declared = session->stack.lb->rules;
  if (program.wants_document()) {
    auto list = Json::array();
    for (const auto& rule : declared) list.push_back(json_of(rule));
    program.print_document(list.dump(2) + "\n");
  } else {
    program.print(table_of(declared));
  }
  return exit_done;
}

struct AddOptions {
  stack::Rule rule;
  std::vector<std::string> targets;
  std::vector<std::string> methods;
  std::vector<std::string> headers;
  std::string redirect;
  std::optional<int> code;
  std::optional<int> position;
  bool apply = false;
};

/// "web", or each with its weight: "blue=90" "green=10".
Status read_targets(const std::vector<std::string>& words, stack::Rule& rule) {
  if (words.size() == 1 && words[0].find('=') == std::string::npos) {
    rule.to = words[0];
    return {};
  }
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto weight = equals == std::string::npos
                            ? std::nullopt
                            : text::to_integer(std::string_view(word).substr(equals + 1));
    if (!weight || *weight < 0 || *weight > 1000) {
      return fail(ErrorKind::usage,
                  fmt::format("--to {}: several services have a weight each", word),
                  "such as --to blue=90 --to green=10, up to 1000");
    }
    rule.split.push_back({word.substr(0, equals), static_cast<int>(*weight)});
  }
  return {};
}

Status read_headers(const std::vector<std::string>& words, stack::Rule& rule) {
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      return fail(ErrorKind::usage, fmt::format("--header {}: it is NAME=VALUE", word),
                  "with NAME=* any value matches");
    }
    // Names are compared without regard to case, and read in lower case.
    const auto name = text::lower(word.substr(0, equals));
    if (!rule.headers.emplace(name, word.substr(equals + 1)).second) {
      return fail(ErrorKind::usage, fmt::format("--header {}: {} is named twice", word, name));
    }
  }
  return {};
}

Result<stack::Rule> rule_from(const AddOptions& options) {
  auto rule = options.rule;
  if (options.targets.empty() == options.redirect.empty()) {
    return fail(ErrorKind::usage, "a rule needs either --to or --redirect",
                "`paasctl lb rules add --help` shows how it is used");
  }
  if (options.code && options.redirect.empty()) {
    return fail(ErrorKind::usage, "--code goes with --redirect only");
  }
  if (!options.redirect.empty()) {
    rule.redirect = stack::Redirect{options.redirect};
    rule.redirect->code = options.code.value_or(rule.redirect->code);
  } else {
    PAAS_CHECK(read_targets(options.targets, rule));
  }
  for (const auto& word : options.methods) {
    for (auto& method : text::split(word, ',')) rule.methods.push_back(std::move(method));
  }
  PAAS_CHECK(read_headers(options.headers, rule));
  return rule;
}

Result<int> add(Program& program, const AddOptions& options) {
  PAAS_TRY(const auto rule, rule_from(options));
  return edit_stack(
      program, "paasctl lb rules add", options.apply ? Apply::yes : Apply::no,
      [&](std::string_view text) { return stack::add_rule(text, rule, options.position); });
}

struct RemoveOptions {
  int position = 0;
  bool apply = false;
};

Result<int> remove(Program& program, const RemoveOptions& options) {
  return edit_stack(
      program, "paasctl lb rules rm", options.apply ? Apply::yes : Apply::no,
      [&](std::string_view text) { return stack::remove_rule(text, options.position); });
}

}  // namespace

void register_lb_rules(Program& program, CLI::App& group) {
  auto* list = add_command<NoOptions>(
      program, group, "rules", "List the rules in the order in which they are tried", {}, rules,
      "  paasctl lb rules\n  paasctl lb rules -o json", {"json", "yaml"});
  list->require_subcommand(0, 1);
  add_command<AddOptions>(
      program, *list, "add", "Add a rule to the stack file",
      [](CLI::App& command, AddOptions& options) {
        command.add_option("--host", options.rule.host,
                           "Host name that has to match; *.example.com is all names below");
        command.add_option("--path", options.rule.path, "Prefix of the path that has to match");
        command.add_option("--exact", options.rule.exact, "The whole path that has to match");
        command
            .add_option("--method", options.methods,
                        "Methods of which one has to match, such as GET,HEAD; may be repeated")
            ->allow_extra_args(false);
        command
            .add_option("--header", options.headers,
                        "Header that has to have this value, or any with NAME=*; may be repeated")
            ->type_name("NAME=VALUE")
            ->allow_extra_args(false);
        command
            .add_option("--to", options.targets,
                        "Service of type web; or several with weights, --to blue=90 --to green=10")
            ->type_name("SERVICE")
            ->allow_extra_args(false);
        command
            .add_option("--redirect", options.redirect,
                        "Send the client there instead of to a service: a URL or a path")
            ->type_name("URL");
        command
            .add_option("--code", options.code, "Status of the redirect: 301, 302, 303, 307 or 308")
            ->type_name("N");
        command.add_option("--position", options.position,
                           "Number it gets; without it before the rule that matches everything");
        command.add_flag("--apply", options.apply, "Apply the stack file as well");
      },
      add,
      "  paasctl lb rules add --path /api/ --to backend\n"
      "  paasctl lb rules add --host api.example.com --to backend --apply\n"
      "  paasctl lb rules add --host '*.example.com' --method GET,HEAD --header X-Beta=1 --to "
      "beta\n"
      "  paasctl lb rules add --path /shop --to blue=90 --to green=10\n"
      "  paasctl lb rules add --host example.com --redirect https://www.example.com --code 301");
  add_command<RemoveOptions>(
      program, *list, "rm", "Remove a rule from the stack file",
      [](CLI::App& command, RemoveOptions& options) {
        command.alias("delete");
        command.add_option("NUMBER", options.position, "Its number in `paasctl lb rules`")
            ->required();
        command.add_flag("--apply", options.apply, "Apply the stack file as well");
      },
      remove, "  paasctl lb rules rm 2\n  paasctl lb rules rm 2 --apply");
}

}  // namespace paas::cli
