// Starts the HAProxy of the machine as Debian's unit does, with a master, but without root's
// folders.
#include "haproxy/support/live_haproxy.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "haproxy/support/connection.hpp"

namespace paas::haproxy::test {

using namespace std::chrono_literals;

LiveHaproxy::LiveHaproxy(Setup wanted) : setup(std::move(wanted)) {
  if (setup.listen.empty()) setup.listen = {free_port()};
  auto pattern = (std::filesystem::temp_directory_path() / "paas-haproxy-XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  peer_port_ = free_port();
  start();
}

LiveHaproxy::~LiveHaproxy() {
  stop();
  std::filesystem::remove_all(folder_);
}

/// What render() makes, less what belongs to a whole machine: its folders, its user and its log.
void LiveHaproxy::write_configuration() const {
  const auto rendered = render(setup);
  REQUIRE(rendered);
  static const std::set<std::string> of_a_machine = {"chroot /var/lib/haproxy", "user haproxy",
                                                     "group haproxy"};
  std::ofstream file(folder_ / "haproxy.cfg");
  for (const auto& line : text::lines(*rendered)) {
    if (of_a_machine.contains(std::string(text::trim(line)))) continue;
    auto changed = text::replace_all(line, "bind *:", "bind 127.0.0.1:");
    if (line.starts_with("    log /dev/log"))
      changed = "    log stdout len 16384 format raw local0";
    // One on each machine; here tests run beside each other.
    changed = text::replace_all(changed, "peer lb 127.0.0.1:19999",
                                "peer lb 127.0.0.1:" + std::to_string(peer_port_));
    file << text::replace_all(changed, "/run/haproxy/", folder_.string() + "/") << '\n';
  }
}

void LiveHaproxy::start() {
  write_configuration();
  const auto configuration = (folder_ / "haproxy.cfg").string();
  const auto log = (folder_ / "log").string();
  process_ = fork();
  REQUIRE(process_ >= 0);
  if (process_ == 0) {
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(output, 1);
    dup2(output, 2);
    execlp("haproxy", "haproxy", "-W", "-f", configuration.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  const bool started =
      eventually([&] { return worker() != 0 || waitpid(process_, nullptr, WNOHANG) == process_; });
  std::ifstream file(log);
  const std::string said{std::istreambuf_iterator<char>(file), {}};
  REQUIRE_MESSAGE((started && worker() != 0), "HAProxy did not start: " << said);
}

void LiveHaproxy::stop() {
  if (process_ <= 0) return;
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  process_ = 0;
}

void LiveHaproxy::restart() {
  stop();
  start();
}

void LiveHaproxy::reload() {
  write_configuration();
  const int before = worker();
  // A master that has just started drops the signal without a word (measured, 2.6.12), so it is
  // sent again.
  auto next_signal = clock_.monotonic();
  REQUIRE(eventually([&] {
    if (clock_.monotonic() >= next_signal) {
      kill(process_, SIGUSR2);
      next_signal = clock_.monotonic() + 2s;
    }
    const int now = worker();
    return now != 0 && now != before;
  }));
}

Send LiveHaproxy::send() const {
  const auto path = (folder_ / "admin.sock").string();
  return [path](const std::string& command) -> Result<std::string> {
    PAAS_TRY(const auto socket, connect_to_path(path));
    PAAS_CHECK(send_all(socket, command + "\n"));
    return receive_all(socket);
  };
}

std::string LiveHaproxy::log() const {
  std::ifstream file(folder_ / "log");
  return {std::istreambuf_iterator<char>(file), {}};
}

int LiveHaproxy::worker() const {
  const auto answer = send()("show info");
  if (!answer) return 0;
  for (const auto& line : text::lines(*answer)) {
    if (line.starts_with("Pid: ")) return static_cast<int>(*text::to_integer(line.substr(5)));
  }
  return 0;
}

bool LiveHaproxy::eventually(const std::function<bool()>& condition) {
  const auto deadline = clock_.monotonic() + 15s;
  while (!condition()) {
    if (clock_.monotonic() >= deadline || !clock_.wait(10ms)) return false;
  }
  return true;
}

ServerStatistics LiveHaproxy::server(const std::string& name) {
  const auto all = runtime().statistics();
  REQUIRE(all);
  for (const auto& each : *all) {
    if (each.backend == "web" && each.server == name) return each;
  }
  return {};
}

Server server_of(const WebServer& web_server) {
  return {web_server.name(), "127.0.0.1", web_server.port()};
}

Setup web_setup(const std::vector<const WebServer*>& servers) {
  Setup setup;
  setup.stack = "app";
  setup.private_address = "127.0.0.1";
  setup.rules = {{"", "", "web"}};
  Backend backend;
  backend.name = "web";
  backend.health_path = "/healthz";
  backend.health_interval_ms = 250;
  backend.internal_port = free_port();
  for (const auto* server : servers) backend.servers.push_back(server_of(*server));
  setup.backends = {backend};
  return setup;
}

}  // namespace paas::haproxy::test
