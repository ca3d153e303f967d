// What a run asks of the world, one request, command or file at a time, and what may go wrong with
// one of them.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace paas::crash {

enum class Domain {
  http,    ///< A request to the provider.
  server,  ///< A command on a server.
  file,    ///< A file that outlives the run.
  effect,  ///< What the provider does for a request after it has answered.
};

struct Operation {
  Domain domain = Domain::http;
  std::string text;    ///< "POST /v2/droplets", "look shop-web-1", "write paas.lock"
  int occurrence = 1;  ///< Counts operations of the same text in a run.
  friend bool operator==(const Operation&, const Operation&) = default;
};

enum class FaultKind {
  // Requests.
  reset_before,     ///< The connection breaks before the request took effect.
  reset_after,      ///< It breaks after the request took effect.
  timeout_before,   ///< No answer comes; the request took no effect.
  timeout_after,    ///< No answer comes; the request took effect.
  error_500,        ///< The service fails before it did anything.
  error_503_after,  ///< It fails after it did what was asked.
  error_408_after,  ///< Something on the way says that it took too long; it took effect.
  limit_plain,      ///< 429 without retry-after.
  limit_waiting,    ///< 429 with retry-after.
  refused_401,      ///< The token is not known.
  refused_403,      ///< The token may not do that.
  lost_404,         ///< What exists is said not to, once.
  html_200,         ///< A proxy answers with a page.
  half_answer,      ///< The answer ends in the middle.
  empty_list,       ///< A list that has entries is said to be empty.
  busy_422,         ///< "Droplet already has a pending event."
  sold_out,         ///< The size cannot be had in the region.
  droplet_limit,    ///< The account may have no more droplets.
  late,             ///< The answer takes half a minute.
  outage,           ///< From here on nothing is answered.
  // What the provider does afterwards.
  effect_fails,  ///< The action ends errored.
  effect_stuck,  ///< It does not end in this run.
  // Servers.
  ssh_refused,        ///< The connection is refused, once.
  ssh_dropped,        ///< It breaks after the command took effect.
  server_gone,        ///< From here on the server does not answer.
  server_killed,      ///< It loses its power, and is off until somebody powers it on.
  server_rebooted,    ///< It boots anew in the middle of the command.
  server_full,        ///< From here on no space is left on the server.
  docker_down,        ///< From here on Docker does not answer.
  key_changed,        ///< From here on the server has another host key.
  cloud_init_failed,  ///< The server could not be prepared.
  config_refused,     ///< HAProxy finds fault with its configuration.
  reload_lost,        ///< HAProxy goes on with the configuration of before.
  // This machine's disk.
  disk_full,    ///< Nothing is written.
  flush_fails,  ///< The file was replaced, and the flush of its folder fails.
  read_fails,   ///< A file cannot be read.
  // The process itself; stops after each effect are tried apart from faults.
  killed_before,  ///< A request.
  killed_after,   ///< A request took effect.
};

std::string to_text(FaultKind kind);
std::optional<FaultKind> fault_kind_from(const std::string& text);
/// Those that the process lives through.
const std::vector<FaultKind>& all_fault_kinds();
/// Whether the fault can befall the operation.
bool applies(FaultKind kind, const Operation& operation);

struct Fault {
  FaultKind kind = FaultKind::reset_before;
  Operation at;
};

/// Counts the operations of one run and says which of them goes wrong. Safe to use from several
/// threads.
class Operations {
 public:
  explicit Operations(std::optional<Fault> fault = std::nullopt) : fault_(std::move(fault)) {}

  /// Called before each operation; the fault that befalls it.
  std::optional<FaultKind> begin(Domain domain, const std::string& text);
  /// Whether the fault has come about.
  bool struck() const { return struck_; }
  const std::vector<Operation>& all() const { return all_; }

 private:
  bool lasts(Domain domain, const std::string& text) const;

  std::optional<Fault> fault_;
  mutable std::mutex mutex_;
  std::map<std::pair<Domain, std::string>, int> counts_;
  std::vector<Operation> all_;
  bool struck_ = false;
};

}  // namespace paas::crash
