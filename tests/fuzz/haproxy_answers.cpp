// Gives HAProxy's answers to the code that reads them.
#include <string>
#include <vector>

#include "base/text.hpp"
#include "fuzz/blocks.hpp"
#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/running.hpp"
#include "haproxy/runtime.hpp"

namespace paas::fuzz {

namespace {

using std::chrono::milliseconds;

/// Moves when somebody waits.
class WaitingClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override {
    return std::chrono::system_clock::time_point(elapsed_);
  }
  milliseconds monotonic() override { return elapsed_; }
  Status wait(milliseconds duration) override {
    elapsed_ += duration;
    return {};
  }

 private:
  milliseconds elapsed_{0};
};

void check_statistics(std::string_view text) {
  const auto whole = haproxy::parse_statistics(text);
  if (!whole) return;
  // Behind each field; trying each byte would make long answers slow.
  for (auto size = text.find_first_of(",\n"); size + 1 < text.size();
       size = text.find_first_of(",\n", size + 1)) {
    const auto part = haproxy::parse_statistics(text.substr(0, size + 1));
    demand(!part, "statistics that are cut are believed");
  }
}

void check_configuration(std::string_view text) {
  const auto backends = haproxy::servers_of(text);
  (void)haproxy::rule_targets_of(text);
  (void)haproxy::mark_in_info(text);
  (void)haproxy::transition(text, text);
  const auto rest = haproxy::without_servers(text);
  demand(haproxy::without_servers(rest) == rest, "a configuration has servers left");
  if (!haproxy::is_intact(text)) return;
  for (const auto& backend : backends) {
    const auto without = haproxy::with_servers(text, backend.name, {});
    demand(haproxy::mark_of(without) == haproxy::mark_of(text), "a server is in the mark");
    demand(haproxy::with_servers(without, backend.name, backend.servers) ==
               haproxy::with_servers(text, backend.name, backend.servers),
           "servers that are put back make a difference");
  }
}

/// Several commands stand in one line only where this module puts them there.
void check_command(std::string_view command) {
  const bool is_known =
      command == "show stat" || command.starts_with("add server web/") ||
      command.starts_with("del server web/") || command.starts_with("set server web/") ||
      command.starts_with("enable health web/") || command.starts_with("enable server web/") ||
      command.starts_with("shutdown sessions server web/");
  demand(is_known, "another command: " + std::string(command));
}

/// Hands out the answers; once they are used up the socket is silent.
struct Socket {
  std::vector<std::string_view> answers;
  std::size_t next = 0;
  std::vector<std::string> commands{};

  Result<std::string> send(const std::string& command) {
    demand(command.find_first_of("\n\r") == std::string::npos, "two lines: " + command);
    for (const auto& one : text::split(command, ';')) check_command(text::trim(one));
    commands.push_back(command);
    if (next == answers.size()) return fail(ErrorKind::unreachable, "no answer");
    return std::string(answers[next++]);
  }
};

void check_addition(const std::vector<std::string_view>& answers) {
  Socket socket{.answers = answers};
  WaitingClock clock;
  haproxy::Runtime runtime([&](const std::string& command) { return socket.send(command); }, clock);
  haproxy::Backend backend;
  backend.name = "web";
  const auto added =
      runtime.add_server(backend, {"app-web-1.r1", "10.1.0.3", 20000}, milliseconds{400});
  if (!added) return;
  // It takes requests, so its own check passed in the answer before the last one.
  demand(socket.commands.back() == "set server web/app-web-1.r1 weight 10", "it has no weight");
  const auto seen = haproxy::parse_statistics(answers[socket.next - 2]);
  demand(seen.has_value(), "requests go to a server that no statistics showed");
  bool passed = false;
  for (const auto& server : *seen) {
    if (server.backend == "web" && server.server == "app-web-1.r1") {
      passed = passed || (server.status.starts_with("UP") && server.check_status == "L7OK");
    }
  }
  demand(passed, "requests go to a server whose check has not passed");
}

void check_removal(const std::vector<std::string_view>& answers) {
  Socket socket{.answers = answers};
  WaitingClock clock;
  haproxy::Runtime runtime([&](const std::string& command) { return socket.send(command); }, clock);
  const auto removed = runtime.remove_server("web", "app-web-1.r1", milliseconds{200});
  if (!removed) return;
  const auto last = answers[socket.next - 1];
  demand(last.starts_with("Server deleted") || text::trim(last).starts_with("No such"),
         "a server is said to be gone that nobody removed");
}

/// A change-over is one line, and done only when HAProxy says nothing to it.
void check_change_over(const std::vector<std::string_view>& answers) {
  Socket socket{.answers = answers};
  WaitingClock clock;
  haproxy::Runtime runtime([&](const std::string& command) { return socket.send(command); }, clock);
  const auto changed = runtime.change_over("web", {{"app-web-1.r2", 10}}, {"app-web-1.r1"});
  demand(socket.commands ==
             std::vector<std::string>{"set server web/app-web-1.r2 weight 10; set server "
                                      "web/app-web-1.r1 state drain"},
         "a change-over is not one line");
  if (!changed) return;
  demand(text::trim(answers.front()).empty(), "HAProxy said something to a change-over");
  const auto left = runtime.await_drained("web", {"app-web-1.r1"}, milliseconds{200});
  demand(!left || *left >= 0, "fewer sessions than none");
}

/// What is deleted at once drained in the statistics, and HAProxy said that it is deleted.
void check_deletion(const std::vector<std::string_view>& answers) {
  if (answers.empty()) return;
  const auto seen = haproxy::parse_statistics(answers.front());
  if (!seen) return;
  for (const auto& server : *seen) {
    // Names as this module gives them; the socket knows only those.
    if (server.backend != "web") continue;
    Socket socket{.answers = {answers.begin() + 1, answers.end()}};
    WaitingClock clock;
    haproxy::Runtime runtime([&](const std::string& command) { return socket.send(command); },
                             clock);
    const auto deleted = runtime.delete_drained(server);
    if (!deleted || !*deleted) continue;
    demand(server.status.starts_with("DRAIN") && server.current_sessions == 0,
           "a server is deleted that did not drain");
    demand(socket.answers.front().find("Server deleted") != std::string_view::npos,
           "a server is said to be deleted that is not");
  }
}

/// What a file would have to say for what runs is the same the second time, and differs in servers
/// alone.
void check_running(const std::vector<std::string_view>& answers) {
  if (answers.size() < 2) return;
  const auto seen = haproxy::parse_statistics(answers[1]);
  if (!seen) return;
  const auto running = haproxy::as_running(answers[0], *seen);
  demand(haproxy::as_running(running, *seen) == running, "what runs is told in two ways");
  if (!haproxy::is_intact(answers[0])) return;
  demand(haproxy::mark_of(running) == haproxy::mark_of(answers[0]), "what runs has another mark");
}

}  // namespace

void haproxy_answers(std::string_view input) {
  const auto answers = blocks_of(input);
  for (const auto& answer : answers) {
    check_statistics(answer);
    check_configuration(answer);
  }
  check_addition(answers);
  check_removal(answers);
  check_change_over(answers);
  check_deletion(answers);
  check_running(answers);
}

}  // namespace paas::fuzz
