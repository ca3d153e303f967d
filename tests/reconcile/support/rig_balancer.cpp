// HAProxy on the servers in memory.
#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/maintenance.hpp"
#include "plan/support/balancer_certificates.hpp"
#include "reconcile/support/rig_machines.hpp"

namespace paas::reconcile::testing {

/// HAProxy's Runtime API, as far as the executor uses it; every check passes at once.
Result<std::string> RigMachines::balancer_command(const observe::Target& target,
                                                  const std::string& command) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy || !haproxy->running) return fail(ErrorKind::failed, "no admin socket");
  if (command == "show stat") {
    std::string csv =
        "# pxname,svname,qcur,scur,stot,status,weight,type,rate,check_status,hrsp_5xx,"
        "hrsp_2xx,hrsp_3xx,hrsp_4xx,rtime,addr,\n";
    for (const auto& [backend, names] : haproxy->known) {
      for (const auto& name : names) {
        const bool in = haproxy->in_rotation[backend].contains(name);
        csv += fmt::format("{},{},0,0,0,{},{},2,0,L7OK,0,0,0,0,0,{},\n", backend, name,
                           dead.contains(name) ? "DOWN" : "UP",
                           in ? haproxy->weights[backend][name] : 0,
                           insides_.addresses[backend][name]);
      }
    }
    return csv + "stats,BACKEND,0,0,0,UP,0,1,0,,0,0,0,0,0,,\n\n";
  }
  // All of a line at once; an answer for each.
  std::string answers;
  for (const auto& one : text::split(command, ';')) {
    answers += answer_to(*haproxy, std::string(text::trim(one)));
  }
  PAAS_CHECK(fuse_.spend());
  return answers;
}

std::string RigMachines::answer_to(observe::Balancer& haproxy, const std::string& command) {
  const auto words = text::split(command, ' ');
  const auto subject = text::split(words.at(words[0] == "shutdown" ? 3 : 2), '/');
  const auto& backend = subject.at(0);
  const auto& name = subject.at(1);
  std::string answer = "\n";
  if (backend == haproxy::maintenance_backend) {
    auto& weights = haproxy.weights[backend];
    if (!weights.contains(name)) return "No such backend.\n";
    weights[name] = std::stoi(words.at(4));
    return answer;
  }
  if (words[0] == "add") {
    haproxy.known[backend].insert(name);
    haproxy.weights[backend][name] = 0;
    insides_.addresses[backend][name] = words.at(3);
    answer = "New server registered.\n";
  } else if (!haproxy.known[backend].contains(name)) {
    return "No such server.\n";
  } else if (words[0] == "del") {
    haproxy.known[backend].erase(name);
    haproxy.weights[backend].erase(name);
    answer = "Server deleted.\n";
  } else if (words[0] == "set" && words.at(3) == "weight") {
    haproxy.weights[backend][name] = std::stoi(words.at(4));
    haproxy.in_rotation[backend].erase(name);
    if (words.at(4) != "0") haproxy.in_rotation[backend].insert(name);
  } else if (words[0] == "set" && words.at(4) != "ready") {
    haproxy.in_rotation[backend].erase(name);
  }
  return answer;
}

Result<bool> RigMachines::edit_balancer(const observe::Target& target, std::string_view before,
                                        std::string_view after) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& on_disk = inside(target).balancer.value().configuration;
  if (!edited_by_hand.empty()) on_disk += std::exchange(edited_by_hand, "");
  if (on_disk != before) return false;
  PAAS_CHECK(install_balancer(target, after, Reload::no));
  return true;
}

Status RigMachines::install_balancer(const observe::Target& target, std::string_view configuration,
                                     Reload reload) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy) haproxy.emplace();
  haproxy->configuration = configuration;
  if (reload == Reload::yes) {
    // The file is in place before HAProxy reads it.
    PAAS_CHECK(fuse_.spend());
    ++insides_.reloads;
    read_configuration(*haproxy);
  }
  return fuse_.spend();
}

void RigMachines::read_configuration(observe::Balancer& haproxy) {
  haproxy.running = true;
  haproxy.mark = haproxy::mark_of(haproxy.configuration);
  plan::testing::read_certificates(haproxy);
  haproxy.known.clear();
  haproxy.weights.clear();
  haproxy.in_rotation.clear();
  if (const auto on = haproxy::maintenance_of(haproxy.configuration)) {
    haproxy.weights[std::string(haproxy::maintenance_backend)]
                   [std::string(haproxy::maintenance_server)] = *on ? 1 : 0;
  }
  for (const auto& backend : haproxy::servers_of(haproxy.configuration)) {
    for (const auto& server : backend.servers) {
      haproxy.known[backend.name].insert(server.name);
      haproxy.weights[backend.name][server.name] = server.weight;
      if (server.weight > 0) haproxy.in_rotation[backend.name].insert(server.name);
      insides_.addresses[backend.name][server.name] =
          fmt::format("{}:{}", server.address, server.port);
    }
  }
}

void RigMachines::boot(const std::string& server) {
  const std::scoped_lock lock(mutex_);
  const auto found = insides_.machines.find(server);
  if (found == insides_.machines.end() || !found->second.balancer) return;
  if (found->second.balancer->running) read_configuration(*found->second.balancer);
}

}  // namespace paas::reconcile::testing
