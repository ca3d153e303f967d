// Gives the API's answers to the client.
#include <fmt/format.h>

#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "digitalocean/client.hpp"
#include "fuzz/blocks.hpp"
#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"

namespace paas::fuzz {

namespace {

using digitalocean::Client;
using std::chrono::milliseconds;

constexpr const char* token = "dop_v1_canary";

/// Moves when somebody waits, from several threads.
class SharedClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000)) + monotonic();
  }
  milliseconds monotonic() override {
    const std::lock_guard lock(mutex_);
    return elapsed_;
  }
  Status wait(milliseconds duration) override {
    demand(duration.count() >= 0, "it waits backwards");
    const std::lock_guard lock(mutex_);
    elapsed_ += duration;
    // Nobody waits for a month, and an answer may say so.
    if (++waits_ > 100 || elapsed_ > std::chrono::hours(24 * 30)) {
      return fail(ErrorKind::interrupted, "interrupted");
    }
    return {};
  }

 private:
  std::mutex mutex_;
  milliseconds elapsed_{0};
  int waits_ = 0;
};

/// "200", lines of "name: value", an empty line, and the body. A status of 0: the connection ends.
Result<HttpResponse> response_of(std::string_view block) {
  HttpResponse response;
  const auto take_line = [&] {
    const auto end = block.find('\n');
    const auto line = block.substr(0, end);
    block.remove_prefix(end == std::string_view::npos ? block.size() : end + 1);
    return line;
  };
  response.status = static_cast<int>(text::to_integer(take_line()).value_or(0) % 600);
  if (response.status < 100) return fail(ErrorKind::unreachable, "the connection ended");
  for (auto line = take_line(); !line.empty(); line = take_line()) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    response.headers[text::lower(line.substr(0, colon))] = line.substr(colon + 2);
  }
  response.body = block;
  return response;
}

/// Hands the answers out in their order; after the last one no connection comes about.
class AnsweringHttp : public Http {
 public:
  explicit AnsweringHttp(std::vector<std::string_view> answers) : answers_(std::move(answers)) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    const std::lock_guard lock(mutex_);
    if (given.size() == answers_.size()) return fail(ErrorKind::unreachable, "no connection");
    auto response = response_of(answers_[given.size()]);
    given.push_back(response ? *response : HttpResponse{});
    // Only a refusal before anything was done lets a request that makes something be sent again.
    if (request.method == "POST") {
      demand(posts == 0 || given[given.size() - 2].status == 429, "a POST is sent again");
      ++posts;
    }
    return response;
  }

  std::vector<HttpResponse> given;
  int posts = 0;

 private:
  std::vector<std::string_view> answers_;
  std::mutex mutex_;
};

using Json = nlohmann::json;

/// Whether some answer was a whole JSON object with that list, empty.
bool said_empty(const std::vector<HttpResponse>& given, const std::string& key) {
  for (const auto& response : given) {
    const auto body = Json::parse(response.body, nullptr, false);
    if (response.status < 300 && body.is_object() && body.contains(key) && body[key].is_array() &&
        body[key].empty()) {
      return true;
    }
  }
  return false;
}

void check_error(const Error& error) {
  demand(!error.message.empty(), "an error says nothing");
  const auto shown = describe(error) + error.hint;
  demand(shown.find(token) == std::string::npos, "a message tells the token");
}

/// One call and what holds for it.
using Operation = std::function<void(Client&, const AnsweringHttp&)>;

template <typename T>
void check_list(const Result<std::vector<T>>& list, const AnsweringHttp& http, const char* key) {
  if (!list) return check_error(list.error());
  demand(!list->empty() || said_empty(http.given, key),
         "a list is empty that no answer said so of");
}

template <typename T>
void check_one(const Result<T>& result) {
  if (!result) check_error(result.error());
}

digitalocean::DropletRequest droplet_request() {
  digitalocean::DropletRequest request;
  request.name = "app-web-1";
  request.region = "nyc3";
  request.size = "s-1vcpu-1gb";
  request.image = "debian-12-x64";
  return request;
}

void create_droplets(Client& client, const AnsweringHttp&) {
  const std::set<std::string> names{"app-web-1", "app-web-2"};
  const auto made = client.create_droplets(droplet_request(), {names.begin(), names.end()});
  if (!made) return check_error(made.error());
  for (const auto& droplet : *made) {
    demand(names.contains(droplet.name), "a droplet is taken that nobody asked for");
  }
}

const std::map<std::string, Operation, std::less<>>& operations() {
  static const std::map<std::string, Operation, std::less<>> all = {
      {"account", [](auto& client, auto&) { check_one(client.account()); }},
      {"sizes", [](auto& client, auto& http) { check_list(client.sizes(), http, "sizes"); }},
      {"regions", [](auto& client, auto& http) { check_list(client.regions(), http, "regions"); }},
      {"keys", [](auto& client, auto& http) { check_list(client.ssh_keys(), http, "ssh_keys"); }},
      {"droplets",
       [](auto& client, auto& http) {
         check_list(client.droplets_by_tag("paas:app"), http, "droplets");
       }},
      {"droplet", [](auto& client, auto&) { check_one(client.droplet(7)); }},
      {"create_droplet",
       [](auto& client, auto&) { check_one(client.create_droplet(droplet_request())); }},
      {"create_droplets", create_droplets},
      {"delete_droplet", [](auto& client, auto&) { check_one(client.delete_droplet(7)); }},
      {"action", [](auto& client, auto&) { check_one(client.droplet_action(7, "reboot")); }},
      {"newest_actions", [](auto& client, auto&) { check_one(client.newest_actions(5)); }},
      {"snapshots",
       [](auto& client, auto& http) { check_list(client.droplet_snapshots(), http, "snapshots"); }},
      {"images",
       [](auto& client, auto& http) {
         check_list(client.images(Client::Images::own), http, "images");
       }},
      {"volumes",
       [](auto& client, auto& http) { check_list(client.volumes("nyc3"), http, "volumes"); }},
      {"firewalls",
       [](auto& client, auto& http) { check_list(client.firewalls(), http, "firewalls"); }},
      {"vpcs", [](auto& client, auto& http) { check_list(client.vpcs(), http, "vpcs"); }},
      {"reserved_ips",
       [](auto& client, auto& http) { check_list(client.reserved_ips(), http, "reserved_ips"); }},
      {"domains", [](auto& client, auto& http) { check_list(client.domains(), http, "domains"); }},
      {"records",
       [](auto& client, auto& http) {
         check_list(client.domain_records("example.com"), http, "domain_records");
       }},
      {"projects",
       [](auto& client, auto& http) { check_list(client.projects(), http, "projects"); }},
      {"registry",
       [](auto& client, auto&) {
         check_one(
             client.registry_credentials(std::chrono::seconds(60), Client::RegistryAccess::read));
       }},
  };
  return all;
}

}  // namespace

void api_answers(std::string_view input) {
  const auto end = input.find('\n');
  if (end == std::string_view::npos) return;
  const auto operation = operations().find(input.substr(0, end));
  if (operation == operations().end()) return;
  AnsweringHttp http(blocks_of(input.substr(end + 1)));
  SharedClock clock;
  digitalocean::ClientSettings settings;
  settings.url = "http://127.0.0.1:4000";
  settings.token = Secret(token);
  settings.on_wait = [](const std::string& text) {
    demand(text.find(token) == std::string::npos, "a message tells the token");
  };
  settings.on_retry = settings.on_wait;
  settings.jitter = [] { return 1.0; };
  Client client(http, clock, settings);
  operation->second(client, http);
}

}  // namespace paas::fuzz
