// `paasctl cloud fault`: adds faults to a local cloud that runs, lists them and removes them.
#include "cloud_fault.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/fault.hpp"
#include "local_cloud.hpp"
#include "report/style.hpp"

namespace paas::cli {

namespace {

using Json = nlohmann::json;

/// How long the machines of a cloud may take to be disturbed, or to be left in peace again.
constexpr std::chrono::minutes patience{2};
constexpr std::chrono::milliseconds poll_interval{50};

Result<cloud::Endpoint> running_cloud(Program& program, const std::string& state) {
  PAAS_TRY(const auto folder, state_folder(program, state));
  PAAS_TRY(const auto endpoint, cloud::endpoint(program.ports.files, folder));
  if (endpoint) return *endpoint;
  return fail(ErrorKind::unreachable, "the local cloud does not run",
              "start it with `paasctl cloud up`");
}

ErrorKind kind_of(int status) {
  if (status == 401) return ErrorKind::unauthorised;
  return status == 404 ? ErrorKind::not_found : ErrorKind::failed;
}

/// The body of the answer, null when it has none.
Result<Json> send(Program& program, const cloud::Endpoint& endpoint, const std::string& method,
                  const std::string& path, const Json& body = {}) {
  HttpRequest request;
  request.method = method;
  request.url = endpoint.url + std::string(cloud::fault::control_path) + path;
  request.headers = {{"Authorization", "Bearer " + endpoint.token},
                     {"Content-Type", "application/json"}};
  if (!body.is_null()) request.body = body.dump();
  PAAS_TRY(const auto response, program.ports.http.send(request));
  const auto answer = Json::parse(response.body, nullptr, false);
  if (response.status >= 400) {
    const bool says = answer.is_object() && answer.contains("message");
    return fail(kind_of(response.status),
                says ? answer["message"].get<std::string>()
                     : fmt::format("the local cloud answered with status {}", response.status));
  }
  if (response.body.empty()) return Json();
  if (answer.is_object()) return answer;
  return fail(ErrorKind::failed, "the local cloud's answer is no JSON");
}

struct AddOptions {
  std::string state;
  cloud::fault::Wanted wanted;
};

/// The fault as it is when the world has nothing more to do about it; null when it is gone.
Result<Json> await_settled(Program& program, const cloud::Endpoint& endpoint, std::int64_t id) {
  const auto deadline = program.ports.clock.monotonic() + patience;
  while (true) {
    auto answer = send(program, endpoint, "GET", fmt::format("/{}", id));
    if (!answer && answer.error().kind == ErrorKind::not_found) return Json();
    if (!answer) return fail(answer.error());
    auto fault = answer->at("fault");
    const auto state = fault.at("state").get<std::string>();
    if (state == "failed") {
      return fail(ErrorKind::failed,
                  fmt::format("fault {}: {}", id, fault.at("error").get<std::string>()));
    }
    if (state != "pending" && state != "leaving") return fault;
    if (program.ports.clock.monotonic() > deadline) {
      return fail(ErrorKind::timed_out, fmt::format("fault {} is still {}", id, state),
                  "`paasctl cloud fault ls` shows what became of it");
    }
    PAAS_CHECK(program.ports.clock.wait(poll_interval));
  }
}

Result<int> add(Program& program, const AddOptions& options) {
  PAAS_CHECK(cloud::fault::make(options.wanted));
  PAAS_TRY(const auto endpoint, running_cloud(program, options.state));
  PAAS_TRY(const auto answer,
           send(program, endpoint, "POST", "", cloud::fault::to_json(options.wanted)));
  const auto id = answer.at("fault").at("id").get<std::int64_t>();
  PAAS_TRY(const auto settled, await_settled(program, endpoint, id));
  const auto& fault = settled.is_null() ? answer.at("fault") : settled;
  program.say(fmt::format("Fault {} is added: {} on {}.", id, options.wanted.fault,
                          fault.at("target").get<std::string>()));
  program.print(fmt::format("{}\n", id));
  return exit_done;
}

/// "from request 3, 10%, 2 times at most"
std::string when(const Json& fault) {
  std::vector<std::string> parts;
  if (fault.contains("first")) {
    parts.push_back(fmt::format("from request {}", fault["first"].get<std::int64_t>()));
  }
  if (fault.contains("share")) {
    parts.push_back(fmt::format("{:g}%", fault["share"].get<double>() * 100));
  }
  if (fault.contains("times")) {
    const auto times = fault["times"].get<std::int64_t>();
    parts.push_back(times == 1 ? "once" : fmt::format("{} times", times));
  }
  return parts.empty() ? "always" : text::join(parts, ", ");
}

struct ListOptions {
  std::string state;
};

Result<int> list(Program& program, const ListOptions& options) {
  PAAS_TRY(const auto endpoint, running_cloud(program, options.state));
  PAAS_TRY(const auto answer, send(program, endpoint, "GET", ""));
  const auto& faults = answer.at("faults");
  if (program.wants_document()) {
    program.print_document(faults.dump(2) + "\n");
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", "FAULT", "TARGET", "WHEN", "STATE", "MATCHED", "HITS"}};
  for (const auto& fault : faults) {
    const bool of_machine = fault.contains("droplet_id");
    rows.push_back({std::to_string(fault.at("id").get<std::int64_t>()),
                    fault.at("fault").get<std::string>(), fault.at("target").get<std::string>(),
                    of_machine ? "-" : when(fault), fault.at("state").get<std::string>(),
                    of_machine ? "-" : std::to_string(fault.at("matched").get<std::int64_t>()),
                    std::to_string(fault.at("hits").get<std::int64_t>())});
  }
  program.print(report::table(rows));
  return exit_done;
}

struct RemoveOptions {
  std::string state;
  std::vector<std::int64_t> ids;
  bool all = false;
};

Result<std::vector<std::int64_t>> ids_to_remove(Program& program, const cloud::Endpoint& endpoint,
                                                const RemoveOptions& options) {
  if (!options.all) return options.ids;
  PAAS_TRY(const auto answer, send(program, endpoint, "GET", ""));
  std::vector<std::int64_t> ids;
  for (const auto& fault : answer.at("faults")) ids.push_back(fault.at("id").get<std::int64_t>());
  return ids;
}

Result<int> remove(Program& program, const RemoveOptions& options) {
  if (options.all == !options.ids.empty()) {
    return fail(ErrorKind::usage, "which faults are to be removed?",
                "give the numbers that `paasctl cloud fault ls` shows, or --all");
  }
  PAAS_TRY(const auto endpoint, running_cloud(program, options.state));
  PAAS_TRY(const auto ids, ids_to_remove(program, endpoint, options));
  for (const auto id : ids) {
    const auto removed = send(program, endpoint, "DELETE", fmt::format("/{}", id));
    if (removed) continue;
    if (removed.error().kind != ErrorKind::not_found) return fail(removed.error());
    if (options.all) continue;  // It went meanwhile.
    return fail(ErrorKind::not_found, fmt::format("there is no fault {}", id),
                "`paasctl cloud fault ls` lists them");
  }
  for (const auto id : ids) PAAS_CHECK(await_settled(program, endpoint, id));
  program.say(ids.size() == 1 ? "The fault is removed."
                              : fmt::format("{} faults are removed.", ids.size()));
  return exit_done;
}

void declare_requests(CLI::App& command, cloud::fault::Wanted& wanted) {
  command.add_option("--method", wanted.method, "Only requests with this method; else with any")
      ->type_name("METHOD");
  command
      .add_option("--path", wanted.path,
                  "Only requests to such a path: * is one part of it, ** any number of parts")
      ->type_name("PATTERN");
  command
      .add_option("--nth", wanted.nth, "From this request on, and without --times only this one")
      ->type_name("N");
  command.add_option("--share", wanted.share, "Only this share of them, such as 10% or 0.1")
      ->type_name("SHARE");
  command
      .add_option("--seed", wanted.seed,
                  "Which requests the share is: the same ones with the same seed")
      ->type_name("N")
      ->default_str("1");
  command.add_option("--times", wanted.times, "At most so many times")->type_name("N");
  command.add_flag("--after", wanted.after, "After the request took effect, not instead of it");
}

void declare_details(CLI::App& command, cloud::fault::Wanted& wanted) {
  command.add_option("--status", wanted.status, "For status: the answer's, 200 to 599")
      ->type_name("CODE");
  command.add_option("--body", wanted.body, "For status: the answer's body")->type_name("TEXT");
  command.add_option("--retry-after", wanted.retry_after, "For status: when to ask again")
      ->type_name("SECONDS");
  command.add_option("--time", wanted.time, "For delay: how long, up to 600s")->type_name("TIME");
  command.add_option("--looks", wanted.looks, "For missing: how often it is not found")
      ->type_name("N")
      ->default_str("3");
  command.add_option("--size", wanted.size, "For sold-out: the size")->type_name("SLUG");
  command.add_option("--region", wanted.region, "For sold-out: the region")->type_name("SLUG");
  command.add_option("--limit", wanted.limit, "For droplet-limit: how many there may be")
      ->type_name("N");
  command.add_option("--action", wanted.action, "For action-error: the type, such as snapshot")
      ->type_name("TYPE");
  command.add_option("--droplet", wanted.droplet, "For faults of machines: its name or identifier")
      ->type_name("NAME");
}

void declare_add(CLI::App& command, AddOptions& options) {
  command.add_option("FAULT", options.wanted.fault, "What goes wrong")->required();
  declare_state(command, options.state);
  declare_requests(command, options.wanted);
  declare_details(command, options.wanted);
}

Manual manual() {
  Manual manual;
  manual.title = "Faults";
  manual.introduction = {
      "The local cloud goes on as DigitalOcean's API does on a bad day, so that a stack, or any "
      "other client, can be tried against it.",
      "A fault of requests strikes those whose --method and --path fit: without them all that the "
      "API is asked for, with POST /v2/droplets where it is about new droplets. Faults are asked "
      "in the order in which they were added, and the first that strikes decides; delays come on "
      "top. --nth, --share and --times choose among the requests that fit. The same requests in "
      "the same order meet the same faults.",
      "Requests of paasctl cloud fault itself, and those with a wrong token, meet none. Faults "
      "stay when the cloud is stopped and started again. `paasctl cloud fault ls` shows how many "
      "requests fitted each, and how often it struck."};
  for (const auto& fault : cloud::fault::descriptions()) {
    manual.topics.push_back(
        {std::string(fault.name), std::string(fault.summary), std::string(fault.details)});
  }
  return manual;
}

/// Tried in scenario 12, which does the same and more.
Manual bad_day() {
  Manual manual;
  manual.title = "A bad day, step by step";
  manual.introduction = {
      "With a stack file that says `cloud: local`, these lines show how a stack and its users "
      "live through one. Whatever goes wrong, `paasctl up` is the way on: it finds what an earlier "
      "one left, makes nothing twice, and ends with status 0 when everything is as the stack file "
      "says."};
  manual.topics = {
      {"paasctl up --yes", "Before it begins", "The stack comes up on a healthy cloud."},
      {"paasctl cloud fault add status --status 503 --share 20%", "The API fails now and then",
       "Every fifth request is refused. The next commands take longer, and say so with -v; nobody "
       "who uses the stack notices."},
      {"paasctl cloud fault add cut --method POST --path /v2/droplets --after --times 1",
       "A droplet is made, and nobody is told",
       "The connection is cut after the creation took effect, as when a network fails."},
      {"paasctl scale web=3 --yes", "Growing meanwhile",
       "The droplet whose answer was lost is found by its name, and no second one is made: "
       "`paasctl status` and the cloud agree."},
      {"paasctl cloud fault add freeze --droplet shop-web-1", "A server stands still",
       "`paasctl plan` and `paasctl up` name it and end with status 69, because what is on it is "
       "unknown; the load balancer sends its requests to the others."},
      {"paasctl cloud fault ls", "What struck, and how often",
       "A fault that never struck was not tried: look at HITS before believing a result."},
      {"paasctl cloud fault rm --all", "The day is over",
       "Machines go on, droplets that were stuck boot, and networks come back."},
      {"paasctl up --yes", "What is left to do, and nothing else",
       "A second one has nothing to do."}};
  return manual;
}

}  // namespace

void register_cloud_fault(Program& program, CLI::App& group) {
  auto& faults = *add_group(program, group, "fault",
                            "Faults of the local cloud: what goes wrong, how often, and with whom");
  program.manuals[&faults] = bad_day();
  const auto* adding = add_command<AddOptions>(
      program, faults, "add", "Let something go wrong from now on, and print the fault's number",
      declare_add, add,
      "  paasctl cloud fault add status --status 429 --retry-after 5 --share 10% --seed 7\n"
      "  paasctl cloud fault add cut --method POST --path /v2/droplets --after --nth 2\n"
      "  paasctl cloud fault add delay --time 3s --path '/v2/droplets/*' --times 4\n"
      "  paasctl cloud fault add sold-out --size s-1vcpu-1gb --region nyc3\n"
      "  paasctl cloud fault add freeze --droplet shop-db-1");
  program.manuals[adding] = manual();
  add_command<ListOptions>(program, faults, "ls", "List the faults and how often each struck",
                           [](CLI::App& command, ListOptions& options) {
                             command.alias("list");
                             declare_state(command, options.state);
                           },
                           list, "  paasctl cloud fault ls\n  paasctl cloud fault ls -o json",
                           {"json", "yaml"});
  add_command<RemoveOptions>(
      program, faults, "rm", "Remove faults; what they hold goes on",
      [](CLI::App& command, RemoveOptions& options) {
        command.alias("delete");
        command.add_option("ID", options.ids, "Their numbers");
        declare_state(command, options.state);
        command.add_flag("--all", options.all, "All of them");
      },
      remove, "  paasctl cloud fault rm 1012\n  paasctl cloud fault rm --all");
}

}  // namespace paas::cli
