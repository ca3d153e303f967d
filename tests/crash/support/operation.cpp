// Names faults, and says what each of them can befall.
#include "crash/support/operation.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace paas::crash {
namespace {

constexpr std::array names = {
    std::pair{FaultKind::reset_before, "reset-before"},
    std::pair{FaultKind::reset_after, "reset-after"},
    std::pair{FaultKind::timeout_before, "timeout-before"},
    std::pair{FaultKind::timeout_after, "timeout-after"},
    std::pair{FaultKind::error_500, "error-500"},
    std::pair{FaultKind::error_503_after, "error-503-after"},
    std::pair{FaultKind::error_408_after, "error-408-after"},
    std::pair{FaultKind::limit_plain, "limit-plain"},
    std::pair{FaultKind::limit_waiting, "limit-waiting"},
    std::pair{FaultKind::refused_401, "refused-401"},
    std::pair{FaultKind::refused_403, "refused-403"},
    std::pair{FaultKind::lost_404, "lost-404"},
    std::pair{FaultKind::html_200, "html-200"},
    std::pair{FaultKind::half_answer, "half-answer"},
    std::pair{FaultKind::empty_list, "empty-list"},
    std::pair{FaultKind::busy_422, "busy-422"},
    std::pair{FaultKind::sold_out, "sold-out"},
    std::pair{FaultKind::droplet_limit, "droplet-limit"},
    std::pair{FaultKind::late, "late"},
    std::pair{FaultKind::outage, "outage"},
    std::pair{FaultKind::effect_fails, "effect-fails"},
    std::pair{FaultKind::effect_stuck, "effect-stuck"},
    std::pair{FaultKind::ssh_refused, "ssh-refused"},
    std::pair{FaultKind::ssh_dropped, "ssh-dropped"},
    std::pair{FaultKind::server_gone, "server-gone"},
    std::pair{FaultKind::server_killed, "server-killed"},
    std::pair{FaultKind::server_rebooted, "server-rebooted"},
    std::pair{FaultKind::server_full, "server-full"},
    std::pair{FaultKind::docker_down, "docker-down"},
    std::pair{FaultKind::key_changed, "key-changed"},
    std::pair{FaultKind::cloud_init_failed, "cloud-init-failed"},
    std::pair{FaultKind::config_refused, "config-refused"},
    std::pair{FaultKind::reload_lost, "reload-lost"},
    std::pair{FaultKind::disk_full, "disk-full"},
    std::pair{FaultKind::flush_fails, "flush-fails"},
    std::pair{FaultKind::read_fails, "read-fails"},
    std::pair{FaultKind::killed_before, "killed-before"},
    std::pair{FaultKind::killed_after, "killed-after"},
};

bool begins(const std::string& text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return text.starts_with(beginning); });
}

/// "GET /v2/droplets?..." and not "GET /v2/droplets/1001".
bool is_list(const std::string& text) {
  return begins(text, {"GET /v2/droplets?", "GET /v2/firewalls?", "GET /v2/volumes?",
                       "GET /v2/vpcs?", "GET /v2/reserved_ips?", "GET /v2/snapshots?"});
}

bool befalls_request(FaultKind kind, const std::string& text) {
  const bool is_change = !text.starts_with("GET ");
  const bool is_deletion = text.starts_with("DELETE ");
  switch (kind) {
    case FaultKind::reset_after:
    case FaultKind::timeout_after:
    case FaultKind::error_503_after:
    case FaultKind::error_408_after:
      // For a request that changes nothing it is the same as before.
      return is_change;
    case FaultKind::half_answer:
      return !is_deletion;
    case FaultKind::lost_404:
      return begins(text, {"GET /v2/droplets/", "GET /v2/actions/", "GET /v2/firewalls/"});
    case FaultKind::empty_list:
      return is_list(text);
    case FaultKind::busy_422:
      return is_change && (text.ends_with("/actions") || text.starts_with("DELETE /v2/droplets/"));
    case FaultKind::sold_out:
    case FaultKind::droplet_limit:
      return text == "POST /v2/droplets";
    case FaultKind::killed_before:
    case FaultKind::killed_after:
      return is_change;
    default:
      return kind <= FaultKind::outage;
  }
}

bool befalls_server(FaultKind kind, const std::string& text) {
  switch (kind) {
    case FaultKind::ssh_refused:
    case FaultKind::ssh_dropped:
    case FaultKind::server_gone:
    case FaultKind::key_changed:
    case FaultKind::server_killed:
    case FaultKind::server_rebooted:
      return true;
    case FaultKind::server_full:
      return begins(text, {"write", "rewrite", "pull", "start", "install"});
    case FaultKind::cloud_init_failed:
      return text.starts_with("cloud-init ");
    case FaultKind::config_refused:
    case FaultKind::reload_lost:
      return text.starts_with("install ");
    case FaultKind::docker_down:
      return begins(text, {"look", "pull", "start", "stop", "resume", "remove", "container", "logs",
                           "healthy", "await-docker"});
    default:
      return false;
  }
}

}  // namespace

std::string to_text(FaultKind kind) {
  for (const auto& [known, name] : names) {
    if (known == kind) return name;
  }
  return "unknown";
}

std::optional<FaultKind> fault_kind_from(const std::string& text) {
  for (const auto& [kind, name] : names) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

const std::vector<FaultKind>& all_fault_kinds() {
  static const auto kinds = [] {
    std::vector<FaultKind> result;
    for (const auto& entry : names) {
      if (entry.first < FaultKind::killed_before) result.push_back(entry.first);
    }
    return result;
  }();
  return kinds;
}

bool applies(FaultKind kind, const Operation& operation) {
  switch (operation.domain) {
    case Domain::http:
      return befalls_request(kind, operation.text);
    case Domain::effect:
      return kind == FaultKind::effect_fails || kind == FaultKind::effect_stuck;
    case Domain::server:
      return befalls_server(kind, operation.text);
    case Domain::file:
      if (kind == FaultKind::read_fails) return operation.text.starts_with("read ");
      return (kind == FaultKind::disk_full || kind == FaultKind::flush_fails) &&
             operation.text.starts_with("write ");
  }
  return false;
}

/// Some faults go on for the rest of the run.
bool Operations::lasts(Domain domain, const std::string& text) const {
  if (!struck_ || domain != fault_->at.domain) return false;
  if (fault_->kind == FaultKind::outage) return true;
  const auto server_of = [](const std::string& line) { return line.substr(line.rfind(' ') + 1); };
  if (server_of(text) != server_of(fault_->at.text)) return false;
  switch (fault_->kind) {
    case FaultKind::server_gone:
    case FaultKind::key_changed:
      return true;
    case FaultKind::server_full:
    case FaultKind::docker_down:
      return befalls_server(fault_->kind, text);
    default:
      return false;
  }
}

std::optional<FaultKind> Operations::begin(Domain domain, const std::string& text) {
  const std::scoped_lock lock(mutex_);
  const Operation operation{domain, text, ++counts_[{domain, text}]};
  all_.push_back(operation);
  if (!fault_) return std::nullopt;
  if (lasts(domain, text)) return fault_->kind;
  if (!(operation == fault_->at)) return std::nullopt;
  struck_ = true;
  return fault_->kind;
}

}  // namespace paas::crash
