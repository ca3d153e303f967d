// Steps that bring certificates to the load balancer, have it get them, and take them away.
#include <fmt/format.h>

#include "lockfile/seal.hpp"
#include "plan/certificates.hpp"
#include "reconcile/run.hpp"
#include "tls/authority.hpp"

namespace paas::reconcile {

namespace {

std::int64_t unix_seconds(Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
}

}  // namespace

/// The stack's own authority; it is written down before anything is signed with it.
Result<tls::Pair> Run::authority() {
  if (const auto& made = state_.read().authority) return tls::Pair{made->certificate, made->key};
  PAAS_TRY(const auto pair, tls::make_authority(stack_.name, unix_seconds(tools_.clock)));
  PAAS_CHECK(state_.change([&](lockfile::Lockfile& next) {
    next.authority = lockfile::Authority{pair.certificate, pair.key};
  }));
  return pair;
}

Result<Secret> Run::bundle_of(const plan::WantedCertificate& wanted) {
  if (wanted.name == plan::placeholder().name) {
    PAAS_TRY(const auto pair, tls::make_placeholder(unix_seconds(tools_.clock)));
    return tls::bundle_of(pair);
  }
  if (wanted.source == plan::CertificateSource::authority) {
    PAAS_TRY(const auto signer, authority());
    PAAS_TRY(const auto pair, tls::make_leaf(signer, {wanted.label}, unix_seconds(tools_.clock)));
    return tls::bundle_of(pair);
  }
  const auto given = options_.certificates.find(wanted.name);
  if (given == options_.certificates.end()) {
    return fail(ErrorKind::failed, fmt::format("{} was not read", wanted.label));
  }
  return given->second;
}

/// Whether the certificate is there, and as what is to be put there.
bool Run::is_put(const observe::Balancer& there, const plan::WantedCertificate& wanted) {
  if (!plan::is_in_place(there, wanted)) return false;
  if (wanted.name == plan::placeholder().name) return true;
  const auto lockfile = state_.read();
  const auto& observed = there.certificates.at(wanted.name);
  const auto applied = lockfile.lb->certificates.find(wanted.name);
  if (applied == lockfile.lb->certificates.end() || applied->second != observed.digest) {
    return false;
  }
  if (wanted.source == plan::CertificateSource::file) {
    const auto given = options_.certificates.find(wanted.name);
    return given != options_.certificates.end() &&
           lockfile::sha256_hex(given->second.reveal()) == observed.digest;
  }
  const auto read = tls::read_certificate(observed.text);
  return read && lockfile.authority &&
         tls::is_signed_by(observed.text, lockfile.authority->certificate) &&
         !tls::is_due(*read, unix_seconds(tools_.clock));
}

Status Run::put_certificates(const plan::Step& step) {
  const std::scoped_lock lock(balancer_mutex_);
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, true));
  const auto there = machine.balancer.value_or(observe::Balancer{});
  auto wanted_here = plan::wanted_certificates(stack_);
  // The first of the list.
  wanted_here.insert(wanted_here.begin(), plan::placeholder());
  for (const auto& wanted : wanted_here) {
    if (wanted.source == plan::CertificateSource::acme || is_put(there, wanted)) continue;
    PAAS_TRY(const auto bundle, bundle_of(wanted));
    PAAS_CHECK(
        tools_.machines.put_certificate(target(step.server), {wanted.name, wanted.hosts, bundle}));
    PAAS_CHECK(state_.change([&](lockfile::Lockfile& next) {
      next.lb->certificates[wanted.name] = lockfile::sha256_hex(bundle.reveal());
    }));
  }
  stage(step, "in place");
  return {};
}

/// One that cannot give them any more is no reason to keep it: the authority is asked.
Status Run::move_certificates(const plan::Step& step) {
  const auto issued =
      tools_.machines.issued_certificates(target(step.subject), stack_.lb->tls->acme->hosts);
  if (!issued && issued.error().kind == ErrorKind::interrupted) return fail(issued.error());
  if (!issued) {
    stage(step, fmt::format("not moved: {}", describe(issued.error())));
    return {};
  }
  if (issued->reveal().empty()) return {};
  PAAS_CHECK(tools_.machines.take_issued_certificates(target(step.server), *issued));
  stage(step, "in place");
  return {};
}

Status Run::issue_certificates(const plan::Step& step) {
  observe::AcmeOrder order;
  order.email = stack_.lb->tls->acme->email;
  order.directory = stack::acme_directory(stack_);
  order.hosts = stack_.lb->tls->acme->hosts;
  PAAS_CHECK(tools_.machines.issue_certificates(target(step.server), order,
                                                options_.timeouts.certificates));
  stage(step, "in place");
  return {};
}

Status Run::remove_certificates(const plan::Step& step) {
  const std::scoped_lock lock(balancer_mutex_);
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, true));
  if (!machine.balancer) return {};
  std::set<std::string> kept;
  for (const auto& wanted : plan::wanted_certificates(stack_)) kept.insert(wanted.name);
  if (stack_.lb && stack_.lb->tls) kept.insert(plan::placeholder().name);
  for (const auto& [name, certificate] : machine.balancer->certificates) {
    if (kept.contains(name)) continue;
    PAAS_CHECK(tools_.machines.remove_certificate(target(step.server), name));
  }
  return state_.change([&](lockfile::Lockfile& next) {
    std::erase_if(next.lb->certificates,
                  [&](const auto& entry) { return !kept.contains(entry.first); });
  });
}

}  // namespace paas::reconcile
