// Answers the Runtime API's commands as HAProxy 2.6.12 was seen to.
#include "haproxy/support/fake_haproxy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace paas::haproxy::test {

namespace {
constexpr std::chrono::milliseconds check_interval{500};
}

Status FakeClock::wait(std::chrono::milliseconds duration) {
  time_ += duration;
  if (time_ >= interrupted_at) return fail(ErrorKind::interrupted, "interrupted");
  return {};
}

Send FakeHaproxy::send() {
  return [this](const std::string& command) -> Result<std::string> {
    run_checks();
    if (command != "show stat") commands.push_back(command);
    for (const auto& [start, text] : answers) {
      if (command.starts_with(start)) return text;
    }
    return answer(command);
  };
}

std::string FakeHaproxy::answer(const std::string& line) {
  std::string text_of_all;
  for (const auto& command : text::split(line, ';')) {
    text_of_all += answer_to(std::string(text::trim(command)));
  }
  return text_of_all;
}

std::string FakeHaproxy::answer_to(const std::string& command) {
  if (command == "show stat") return statistics();
  const auto words = text::split(command, ' ');
  const bool is_set = words[0] == "set" || words[0] == "add" || words[0] == "del" ||
                      words[0] == "enable" || words[0] == "shutdown";
  const std::size_t at = words[0] == "shutdown" ? 3 : 2;
  if (!is_set || words.size() <= at) return "Unknown command, but maybe ...\n";
  const auto slash = words[at].find('/');
  if (words[at].substr(0, slash) != "web") return "No such backend.\n\n";
  const auto name = words[at].substr(slash + 1);
  const auto found = servers.find(name);
  if (words[0] == "add") {
    if (found != servers.end()) return "Already exists a server with the same name in backend.\n\n";
    FakeServer server;
    server.address = words.at(3);
    server.has_check = std::find(words.begin(), words.end(), "check") != words.end();
    if (words.at(words.size() - 2) == "weight") server.weight = std::stoi(words.back());
    server.next_check = clock_.monotonic() + check_interval;
    servers[name] = server;
    return "New server registered.\n\n";
  }
  if (found == servers.end()) return "No such server.\n\n";
  if (words[0] == "del") return remove(name);
  return answer_about(found->second, words[0], words);
}

std::string FakeHaproxy::answer_about(FakeServer& server, const std::string& verb,
                                      const std::vector<std::string>& words) {
  if (verb == "shutdown") {
    if (is_busy(server)) ++sessions_shut_down;
    server.busy_until = std::chrono::milliseconds{0};
  } else if (verb == "enable" && words[1] == "health") {
    if (!server.has_check)
      return "Health check was not configured on this server, cannot enable it\n";
  } else if (verb == "enable") {
    server.admin = "READY";
  } else if (words[3] == "weight") {
    server.weight = std::stoi(words[4]);
    if (server.weight > 0 && server.check_status != "L7OK") gave_weight_unchecked = true;
  } else if (words[3] == "state") {
    server.admin = text::replace_all(words[4], "maint", "MAINT");
    server.admin = text::replace_all(server.admin, "drain", "DRAIN");
    server.admin = text::replace_all(server.admin, "ready", "READY");
  } else {
    return "usage: set server ...\n";
  }
  return "\n";
}

bool FakeHaproxy::is_busy(const FakeServer& server) const {
  return server.busy_until > clock_.monotonic();
}

std::string FakeHaproxy::remove(const std::string& name) {
  const auto& server = servers.at(name);
  if (server.admin != "MAINT") return "Only servers in maintenance mode can be deleted.\n\n";
  if (is_busy(server) || server.connected_until > clock_.monotonic()) {
    return "Server still has connections attached to it, cannot remove it.\n\n";
  }
  servers.erase(name);
  return "Server deleted.\n\n";
}

void FakeHaproxy::run_checks() {
  for (auto& [name, server] : servers) {
    if (server.admin == "MAINT" || !server.has_check || server.next_check > clock_.monotonic()) {
      continue;
    }
    server.check_status = check_result ? check_result(server.address, clock_.monotonic()) : "L7OK";
    server.is_up = server.check_status == "L7OK";
    server.next_check = clock_.monotonic() + check_interval;
  }
}

std::string FakeHaproxy::statistics() {
  std::string text =
      "# pxname,svname,qcur,scur,stot,status,weight,type,rate,check_status,hrsp_5xx,"
      "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n";
  for (const auto& [name, server] : servers) {
    const auto* const health = server.is_up ? "UP" : "DOWN";
    const auto status = server.admin == "READY" ? health : server.admin.c_str();
    text += fmt::format("web,{},0,{},0,{},{},2,0,{},0,0,0,0,0,{},\n", name, is_busy(server) ? 1 : 0,
                        status, server.weight, server.admin == "MAINT" ? "" : server.check_status,
                        server.address);
  }
  return text + "web,BACKEND,0,0,0,UP,0,1,0,,0,0,0,0,0,,\n\n";
}

}  // namespace paas::haproxy::test
