// Plans certificates: which are put in place, which the load balancer gets for itself, which go.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "plan/certificates.hpp"
#include "plan/planner.hpp"
#include "tls/authority.hpp"
#include "tls/certificate.hpp"

namespace paas::plan {

namespace {

/// certbot renews a month before the end; one that lasts no longer than this was not renewed.
constexpr std::int64_t renewal_overdue_seconds = 7 * tls::day_seconds;

const std::map<std::string, std::string>& applied_certificates(const lockfile::Lockfile& lockfile) {
  static const std::map<std::string, std::string> none;
  return lockfile.lb ? lockfile.lb->certificates : none;
}

std::string value_of(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "" : found->second;
}

/// "tls/a.pem", "3 certificates"
std::string named(const std::vector<std::string>& labels) {
  return labels.size() <= 3 ? text::join(labels, ", ")
                            : fmt::format("{} certificates", labels.size());
}

}  // namespace

/// Why a certificate that paasctl brings has to be put in place. Its digest in the lockfile is of
/// what was put there last.
Cause Planner::reason_to_put(const WantedCertificate& wanted) const {
  const auto& seen_balancer = *balancer();
  const auto found = seen_balancer.certificates.find(wanted.name);
  const auto applied = value_of(applied_certificates(input_.lockfile), wanted.name);
  if (found == seen_balancer.certificates.end()) {
    if (applied.empty()) return change(fmt::format("the certificate of {} is new", wanted.label));
    return drift(fmt::format("the certificate of {} is gone", wanted.label));
  }
  const auto given = value_of(input_.certificates, wanted.name);
  if (wanted.source == CertificateSource::file && !given.empty() && given != applied &&
      given != found->second.digest) {
    return change(fmt::format("{} is another certificate than before", wanted.label));
  }
  if (found->second.digest != applied) {
    // What an interrupted run has put there is as the file is, or nothing of before is known.
    if (applied.empty() || (!given.empty() && given == found->second.digest)) {
      return unfinished(
          fmt::format("the certificate of {} was put there and not written down", wanted.label));
    }
    return drift(
        fmt::format("the certificate of {} is not the one that was put there", wanted.label));
  }
  if (!is_in_place(seen_balancer, wanted)) {
    return drift(fmt::format("HAProxy does not show the certificate of {}", wanted.label));
  }
  return {};
}

/// The same for one that the stack's own authority signs.
Cause Planner::reason_to_sign(const WantedCertificate& wanted) const {
  if (auto cause = reason_to_put(wanted); !cause.empty()) return cause;
  const auto& text = balancer()->certificates.at(wanted.name).text;
  const auto read = tls::read_certificate(text);
  const auto& authority = input_.lockfile.authority;
  if (!read || !authority || !tls::is_signed_by(text, authority->certificate)) {
    return change(fmt::format("another authority signed the certificate of {}", wanted.label));
  }
  if (input_.now != 0 && tls::is_due(*read, input_.now)) {
    return change(
        fmt::format("less than a third of the life of {}'s certificate is left", wanted.label));
  }
  return {};
}

Cause Planner::reason_to_issue(const WantedCertificate& wanted) const {
  const auto& seen_balancer = *balancer();
  const auto found = seen_balancer.certificates.find(wanted.name);
  if (found == seen_balancer.certificates.end()) {
    return change(fmt::format("{} has no certificate yet", wanted.label));
  }
  const auto read = tls::read_certificate(found->second.text);
  if (!read || !tls::covers(read->hosts, wanted.label)) {
    return drift(
        fmt::format("the certificate of {} is not the one that was put there", wanted.label));
  }
  if (input_.now != 0 && read->not_after - input_.now < renewal_overdue_seconds) {
    return drift(fmt::format("the certificate of {} was not renewed in time", wanted.label));
  }
  if (!is_in_place(seen_balancer, wanted)) {
    return drift(fmt::format("HAProxy does not show the certificate of {}", wanted.label));
  }
  const auto& applied = input_.lockfile.applied;
  if (!applied || stack::acme_directory(*applied) != stack::acme_directory(stack_)) {
    return change(fmt::format("another authority gave the certificate of {}", wanted.label));
  }
  return {};
}

Cause Planner::reason_for_certificate(const Placed& placed, const WantedCertificate& wanted) const {
  if (placed.created) return {placed.reason, "the load balancer is new"};
  if (balancer() == nullptr) return {};
  if (wanted.name == placeholder().name) {
    if (is_in_place(*balancer(), wanted)) return {};
    const bool was_there = input_.lockfile.lb && !input_.lockfile.lb->certificates.empty();
    return was_there ? drift("the placeholder is gone") : change("https is new");
  }
  if (wanted.source == CertificateSource::acme) return reason_to_issue(wanted);
  if (wanted.source == CertificateSource::authority) return reason_to_sign(wanted);
  return reason_to_put(wanted);
}

/// Before HAProxy is configured: it does not start without what its configuration names.
void Planner::plan_certificates() {
  if (!stack_.lb || !stack_.lb->tls) return;
  const auto& placed = placed_["lb"].front();
  std::vector<std::string> labels;
  Cause first;
  auto wanted_here = wanted_certificates(stack_);
  std::erase_if(wanted_here,
                [](const auto& wanted) { return wanted.source == CertificateSource::acme; });
  wanted_here.insert(wanted_here.begin(), placeholder());
  for (const auto& wanted : wanted_here) {
    const auto cause = reason_for_certificate(placed, wanted);
    if (cause.empty()) continue;
    // What a certificate is put there for says more than why there is no placeholder.
    if (first.empty() || labels.empty()) first = cause;
    if (wanted.name != placeholder().name) labels.push_back(wanted.label);
  }
  if (first.empty()) return;
  auto& step = add(StepKind::put_certificates, placed.name, first,
                   {"prepare_server/" + placed.name, "power_on_server/" + placed.name});
  step.service = "lb";
  step.server = placed.name;
  step.detail = labels.empty() ? placeholder().label : named(labels);
}

/// A load balancer that takes another's place has from the beginning what an authority gave to that
/// one, and asks for nothing again.
void Planner::plan_moved_certificates() {
  if (!stack_.lb || !stack_.lb->tls) return;
  const auto& placed = placed_["lb"].front();
  for (const auto& [giver, cause] : departures_) {
    const auto* inside = machine(giver);
    if (lock_.servers.at(giver).service != "lb" || inside == nullptr || !inside->balancer) continue;
    std::vector<std::string> labels;
    for (const auto& wanted : wanted_certificates(stack_)) {
      const bool is_there = !placed.created && balancer() != nullptr &&
                            balancer()->certificates.contains(wanted.name);
      const bool is_given = wanted.source == CertificateSource::acme && !is_there &&
                            inside->balancer->certificates.contains(wanted.name);
      if (is_given) labels.push_back(wanted.label);
    }
    if (labels.empty()) continue;
    auto& step =
        add(StepKind::move_certificates, placed.name, {cause.reason, "the load balancer is new"},
            {"put_certificates/" + placed.name, "prepare_server/" + placed.name,
             "power_on_server/" + placed.name});
    step.service = "lb";
    step.server = placed.name;
    step.subject = giver;
    step.detail = named(labels);
    return;
  }
}

/// When the load balancer is reached at its public address: the authority asks there.
void Planner::plan_issue() {
  if (!stack_.lb || !stack_.lb->tls) return;
  const auto& placed = placed_["lb"].front();
  std::vector<std::string> labels;
  Cause first;
  for (const auto& wanted : wanted_certificates(stack_)) {
    if (wanted.source != CertificateSource::acme) continue;
    const auto cause = reason_for_certificate(placed, wanted);
    if (cause.empty()) continue;
    if (first.empty()) first = cause;
    labels.push_back(wanted.label);
  }
  if (first.empty()) return;
  auto& step = add(StepKind::issue_certificates, placed.name, first,
                   {"put_certificates/" + placed.name, "move_certificates/" + placed.name,
                    "configure_balancer/" + placed.name, "create_firewall/lb", "update_firewall/lb",
                    "create_address/" + placed.name, "assign_address/" + placed.name});
  step.service = "lb";
  step.server = placed.name;
  step.detail = named(labels);
}

/// What the stack does not name any more goes when all that takes its place is there.
void Planner::plan_stale_certificates() {
  if (!stack_.lb || placed_.at("lb").front().created || balancer() == nullptr) return;
  std::set<std::string> wanted_names;
  for (const auto& wanted : wanted_certificates(stack_)) wanted_names.insert(wanted.name);
  if (stack_.lb->tls) wanted_names.insert(placeholder().name);
  std::vector<std::string> stale;
  for (const auto& [name, certificate] : balancer()->certificates) {
    if (!wanted_names.contains(name)) stale.push_back(name);
  }
  if (stale.empty()) return;
  const auto& applied = input_.lockfile.applied;
  const bool is_known = applied && applied->lb && applied->lb->tls;
  const auto& name = placed_.at("lb").front().name;
  auto& step =
      add(StepKind::remove_certificates, name,
          is_known ? change("the stack does not name them any more") : drift("nobody knows them"),
          {"put_certificates/" + name, "configure_balancer/" + name, "issue_certificates/" + name});
  step.service = "lb";
  step.server = name;
  step.detail = named(stale);
}

}  // namespace paas::plan
