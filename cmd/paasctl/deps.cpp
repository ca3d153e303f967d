// `paasctl deps`: links between services.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "change.hpp"
#include "edit_stack.hpp"
#include "losses.hpp"
#include "plan/environment.hpp"
#include "program.hpp"
#include "report/style.hpp"
#include "session.hpp"
#include "stack/edit.hpp"

namespace paas::cli {

namespace {

struct LinkOptions {
  std::string service;
  std::string target;
  std::vector<std::string> variables;
  bool apply = false;
};

Result<stack::Link> link_from(const LinkOptions& options) {
  stack::Link link;
  link.to = options.target;
  for (const auto& variable : options.variables) {
    const auto equals = variable.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorKind::usage, fmt::format("--env: \"{}\" is not NAME=TEMPLATE", variable),
                  "for example REDIS_URL='redis://:{password}@{host}:{port}/0'");
    }
    link.env[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return link;
}

Result<int> link(Program& program, const LinkOptions& options) {
  PAAS_TRY(const auto wanted, link_from(options));
  return edit_stack(program, "paasctl deps link", options.apply ? Apply::yes : Apply::no,
                    [&](std::string_view text) -> Result<std::string> {
                      // An earlier run may have written it and not got as far as applying it.
                      if (options.apply && stack::has_link(text, options.service, wanted)) {
                        return std::string(text);
                      }
                      return stack::add_link(text, options.service, wanted);
                    });
}

Result<int> unlink(Program& program, const LinkOptions& options) {
  return edit_stack(program, "paasctl deps unlink", options.apply ? Apply::yes : Apply::no,
                    [&](std::string_view text) {
                      return stack::remove_link(text, options.service, options.target);
                    });
}

std::string graph_dot(const stack::Stack& stack) {
  auto text = fmt::format("digraph \"{}\" {{\n", stack.name);
  for (const auto& service : stack.services) {
    text += fmt::format("  \"{}\" [label=\"{}\\n{}\"];\n", service.name, service.name,
                        stack::to_text(service.type));
    for (const auto& target : service.links) {
      text += fmt::format("  \"{}\" -> \"{}\";\n", service.name, target.to);
    }
  }
  return text + "}\n";
}

std::string graph_json(const stack::Stack& stack) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& service : stack.services) {
    auto targets = nlohmann::ordered_json::array();
    for (const auto& target : service.links) targets.push_back(target.to);
    list.push_back({{"service", service.name},
                    {"type", stack::to_text(service.type)},
                    {"links", std::move(targets)}});
  }
  return list.dump(2) + "\n";
}

/// Who links to whom, and how they are reached.
std::string graph_text(const stack::Stack& stack) {
  std::vector<std::vector<std::string>> rows = {{"SERVICE", "TYPE", "LINKS TO", "LINKED BY"}};
  for (const auto& service : stack.services) {
    std::vector<std::string> to;
    std::vector<std::string> by;
    for (const auto& target : service.links) to.push_back(target.to);
    for (const auto& other : stack.services) {
      for (const auto& target : other.links) {
        if (target.to == service.name) by.push_back(other.name);
      }
    }
    rows.push_back({service.name, stack::to_text(service.type),
                    to.empty() ? "-" : fmt::format("{}", fmt::join(to, ", ")),
                    by.empty() ? "-" : fmt::format("{}", fmt::join(by, ", "))});
  }
  return report::table(rows);
}

struct ShowOptions {
  bool dot = false;
};

Result<int> show(Program& program, const ShowOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::text));
  if (options.dot) {
    program.print(graph_dot(session->stack));
  } else if (program.wants_document()) {
    program.print_document(graph_json(session->stack));
  } else if (program.globals.output == "name") {
    for (const auto& service : session->stack.services) program.print(service.name + "\n");
  } else {
    program.print(graph_text(session->stack));
  }
  return exit_done;
}

struct EnvironmentOptions {
  std::string service;
  bool reveal = false;
};

Result<int> environment(Program& program, const EnvironmentOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  PAAS_TRY(const auto* service, session->find_service(options.service));
  auto variables = plan::environment_of(session->stack, session->lockfile, *service);
  if (!options.reveal) {
    for (const auto& name : variables.secret) {
      if (variables.values.contains(name)) variables.values[name] = "***";
    }
  }
  for (const auto& name : variables.unknown) variables.values[name] = "(not known yet)";
  if (program.wants_document()) {
    program.print_document(nlohmann::ordered_json(variables.values).dump(2) + "\n");
    return exit_done;
  }
  for (const auto& [name, value] : variables.values) {
    program.print(fmt::format("{}={}\n", name, value));
  }
  return exit_done;
}

struct PushOptions {
  std::vector<std::string> services;
};

/// Makes containers again from the same image with the details as they are now.
Result<int> push(Program& program, const PushOptions& options) {
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  std::map<std::string, std::string> restart;
  for (const auto& name : options.services) {
    PAAS_TRY(const auto* service, session->find_service(name));
    restart[service->name] = "its environment is pushed again";
  }
  if (restart.empty()) {
    for (const auto& service : session->stack.services) {
      if (!service.links.empty()) restart[service.name] = "its environment is pushed again";
    }
  }
  Change change;
  change.command = "paasctl deps push";
  change.resume = change.command;
  change.adjust = [&](plan::Input& input) { input.restart = restart; };
  return apply_change(program, *session, change);
}

void declare_link(CLI::App& command, LinkOptions& options) {
  command.add_option("SERVICE", options.service, "Service that depends")->required();
  command.add_option("TARGET", options.target, "Service that it depends on")->required();
  command.add_flag("--apply", options.apply, "Apply the stack file as well");
}

}  // namespace

void register_deps(Program& program) {
  auto& group =
      *add_group(program, "deps", "Links between services, and the environment they give");
  add_command<LinkOptions>(
      program, group, "link", "Link a service to another in the stack file",
      [](CLI::App& command, LinkOptions& options) {
        declare_link(command, options);
        command.add_option(
            "--env", options.variables,
            "NAME=TEMPLATE with {host} {port} {scheme} {user} {password} {database} {url}");
      },
      link,
      "  paasctl deps link web cache\n"
      "  paasctl deps link web cache --env REDIS_URL='redis://:{password}@{host}:{port}/0' "
      "--apply");
  add_command<LinkOptions>(program, group, "unlink", "Remove a link from the stack file",
                           declare_link, unlink, "  paasctl deps unlink web cache");
  add_command<ShowOptions>(program, group, "show", "Show who links to whom",
                           [](CLI::App& command, ShowOptions& options) {
                             command.add_flag("--dot", options.dot, "As a graph for Graphviz");
                           },
                           show,
                           "  paasctl deps show\n  paasctl deps show --dot | dot -Tsvg > links.svg",
                           {"json", "yaml", "name"});
  add_command<EnvironmentOptions>(
      program, group, "env", "Show a service's environment, secrets masked",
      [](CLI::App& command, EnvironmentOptions& options) {
        command.add_option("SERVICE", options.service, "Service")->required();
        command.add_flag("--reveal", options.reveal, "Show the secrets");
      },
      environment, "  paasctl deps env web\n  paasctl deps env web --reveal -o json",
      {"json", "yaml"});
  add_command<PushOptions>(
      program, group, "push", "Push the environment to containers again",
      [&program](CLI::App& command, PushOptions& options) {
        add_confirm_option(program, command);
        command.add_option("SERVICE", options.services,
                           "Services; without any, all that have links");
      },
      push, "  paasctl deps push\n  paasctl deps push web");
}

}  // namespace paas::cli
