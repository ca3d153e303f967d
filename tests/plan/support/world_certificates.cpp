// Steps of a plan on certificates, carried out on plain values.
#include <doctest/doctest.h>

#include <set>

#include "plan/certificates.hpp"
#include "plan/support/balancer_certificates.hpp"
#include "plan/support/world.hpp"
#include "tls/authority.hpp"

namespace paas::plan::testing {

/// Signed by the stack's own authority, which is made when it is first needed.
tls::Pair World::made_for(const std::string& host) {
  if (!lock().authority) {
    const auto made = tls::make_authority(input.stack.name, input.now);
    REQUIRE(made);
    lock().authority = lockfile::Authority{made->certificate, made->key};
  }
  const auto leaf =
      tls::make_leaf({lock().authority->certificate, lock().authority->key}, {host}, input.now);
  REQUIRE(leaf);
  return *leaf;
}

void World::give_files() {
  for (const auto& wanted : wanted_certificates(input.stack)) {
    if (wanted.source != CertificateSource::file) continue;
    const auto signer = tls::make_authority("elsewhere", input.now);
    const auto pair = tls::make_leaf(*signer, {"shop.example.com"}, input.now);
    bundles_[wanted.name] = tls::bundle_of(*pair).reveal();
    input.certificates[wanted.name] = lockfile::sha256_hex(bundles_[wanted.name]);
  }
}

void World::perform_on_certificates(const Step& step) {
  auto* const inside = prepared(step);
  if (inside == nullptr) return;
  auto& haproxy = *inside->balancer;
  if (step.kind == StepKind::move_certificates) {
    need(!haproxy.running, step, "before configure_balancer/" + step.server);
    const auto giver = input.observed.servers.find(step.subject);
    need(giver != input.observed.servers.end(), step, "before delete_server/" + step.subject);
    if (giver == input.observed.servers.end()) return;
    const auto& given = giver->second.machine->balancer->certificates;
    for (const auto& wanted : wanted_certificates(input.stack)) {
      const auto certificate = given.find(wanted.name);
      if (wanted.source != CertificateSource::acme || certificate == given.end()) continue;
      put_certificate(haproxy, wanted.name, wanted.hosts, certificate->second.text);
    }
    return;
  }
  std::set<std::string> kept = {placeholder().name};
  for (const auto& wanted : wanted_certificates(input.stack)) {
    kept.insert(wanted.name);
    const bool is_issued = wanted.source == CertificateSource::acme;
    if (is_issued != (step.kind == StepKind::issue_certificates)) continue;
    if (step.kind == StepKind::remove_certificates) continue;
    const auto bundle = wanted.source == CertificateSource::file
                            ? bundles_[wanted.name]
                            : tls::bundle_of(made_for(wanted.label)).reveal();
    put_certificate(haproxy, wanted.name, wanted.hosts, bundle);
    if (!is_issued) lock().lb->certificates[wanted.name] = lockfile::sha256_hex(bundle);
  }
  if (step.kind == StepKind::issue_certificates) {
    need(haproxy.running, step, "configure_balancer/" + step.server);
    need(!lock().lb->reserved_ip.empty(), step, "create_address/" + step.server);
  } else if (step.kind == StepKind::put_certificates) {
    const auto pair = tls::make_placeholder(input.now);
    put_certificate(haproxy, placeholder().name, {}, tls::bundle_of(*pair).reveal());
  } else {
    if (!input.stack.lb->tls) kept.clear();
    const auto names = haproxy.certificates;
    for (const auto& [name, certificate] : names) {
      if (!kept.contains(name)) remove_certificate(haproxy, name);
    }
    std::erase_if(lock().lb->certificates,
                  [&](const auto& entry) { return !kept.contains(entry.first); });
  }
}

}  // namespace paas::plan::testing
