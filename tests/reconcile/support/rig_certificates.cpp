// Certificates on the servers in memory.
#include "base/text.hpp"
#include "plan/support/balancer_certificates.hpp"
#include "reconcile/support/rig_machines.hpp"
#include "tls/authority.hpp"

namespace paas::reconcile::testing {

Status RigMachines::put_certificate(const observe::Target& target,
                                    const observe::CertificateFile& certificate) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy) haproxy.emplace();
  plan::testing::put_certificate(*haproxy, certificate.name, certificate.hosts,
                                 certificate.bundle.reveal());
  return fuse_.spend();
}

Status RigMachines::remove_certificate(const observe::Target& target, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (haproxy) plan::testing::remove_certificate(*haproxy, name);
  return fuse_.spend();
}

/// The ACME server is another authority each time, as nobody looks at who it is.
Status RigMachines::issue_certificates(const observe::Target& target,
                                       const observe::AcmeOrder& order, std::chrono::milliseconds) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy || !haproxy->running) return fail(ErrorKind::failed, "HAProxy does not run");
  std::vector<std::string> refused;
  // About the time of the rig's clock.
  constexpr std::int64_t now = 1'800'000'000;
  PAAS_TRY(const auto server, tls::make_authority(order.directory, now));
  for (const auto& host : order.hosts) {
    if (const auto there = haproxy->certificates.find("host." + host);
        there != haproxy->certificates.end()) {
      const auto read = tls::read_certificate(there->second.text);
      if (read && tls::covers(read->hosts, host)) continue;
    }
    ++ordered;
    if (elsewhere.contains(host)) {
      refused.push_back(host);
      continue;
    }
    PAAS_TRY(const auto pair, tls::make_leaf(server, {host}, now));
    plan::testing::put_certificate(*haproxy, "host." + host, {}, tls::bundle_of(pair).reveal());
    PAAS_CHECK(fuse_.spend());
  }
  if (refused.empty()) return {};
  return fail(ErrorKind::failed, "no certificate for " + text::join(refused, ", "));
}

/// Names and certificates, each after a line of its own.
Result<Secret> RigMachines::issued_certificates(const observe::Target& target,
                                                const std::vector<std::string>& hosts) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (is_silent_on_issued) return fail(ErrorKind::unreachable, "the connection broke");
  const auto& haproxy = inside(target).balancer;
  std::string issued;
  for (const auto& host : hosts) {
    if (!haproxy || !haproxy->certificates.contains("host." + host)) continue;
    issued += "=" + host + "\n" + haproxy->certificates.at("host." + host).text;
  }
  return Secret(issued);
}

Status RigMachines::take_issued_certificates(const observe::Target& target, const Secret& issued) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy) haproxy.emplace();
  std::string host;
  std::map<std::string, std::string> texts;
  for (const auto& line : text::lines(issued.reveal())) {
    if (line.starts_with("="))
      host = line.substr(1);
    else
      texts[host] += line + "\n";
  }
  for (const auto& [name, text] : texts) {
    if (haproxy->certificates.contains("host." + name)) continue;
    plan::testing::put_certificate(*haproxy, "host." + name, {}, text);
    PAAS_CHECK(fuse_.spend());
  }
  return {};
}

}  // namespace paas::reconcile::testing
