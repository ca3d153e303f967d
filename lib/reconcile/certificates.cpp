// Reads certificate files and says what is wrong with them.
#include "reconcile/certificates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "lockfile/seal.hpp"
#include "plan/certificates.hpp"
#include "tls/authority.hpp"
#include "tls/certificate.hpp"

namespace paas::reconcile {

namespace {

using Weight = CertificateRemark::Weight;

constexpr std::int64_t soon_seconds = 14 * tls::day_seconds;

/// One entry of lb.tls.certificates while it is judged.
class Entry {
 public:
  Entry(std::size_t index, std::vector<CertificateRemark>& remarks)
      : index_(index), remarks_(remarks) {}

  void remark(Weight weight, const std::string& key, std::string message, std::string hint) {
    remarks_.push_back({weight,
                        {"lb", "tls", "certificates", std::to_string(index_), key},
                        fmt::format("lb.tls.certificates[{}].{}", index_, key),
                        std::move(message),
                        std::move(hint)});
  }
  void error(const std::string& key, std::string message, std::string hint) {
    remark(Weight::error, key, std::move(message), std::move(hint));
  }
  void warn(const std::string& key, std::string message, std::string hint) {
    remark(Weight::warning, key, std::move(message), std::move(hint));
  }

 private:
  std::size_t index_;
  std::vector<CertificateRemark>& remarks_;
};

std::string days_text(std::int64_t seconds) {
  const auto days = seconds / tls::day_seconds;
  return days == 1 ? "1 day" : fmt::format("{} days", days);
}

/// Whether both are there; the path is relative to the stack file's folder.
std::optional<std::string> read_file(Files& files, const std::string& folder,
                                     const std::string& path, const std::string& key,
                                     Entry& entry) {
  auto text = files.read((std::filesystem::path(folder) / path).lexically_normal().string());
  if (text) return std::move(*text);
  entry.error(key, describe(text.error()), text.error().hint);
  return std::nullopt;
}

void judge_life(const tls::Certificate& certificate, std::int64_t now, Entry& entry) {
  const auto left = certificate.not_after - now;
  if (left <= 0) {
    entry.error("certificate", fmt::format("it ended {} ago", days_text(-left)),
                "put a renewed one there");
  } else if (certificate.not_before > now + tls::day_seconds) {
    entry.error("certificate", "it begins in " + days_text(certificate.not_before - now),
                "use one that counts now");
  } else if (left < soon_seconds) {
    entry.warn("certificate", fmt::format("it is over in {}", days_text(left)),
               "put a renewed one there, and `paasctl up` brings it to the load balancer");
  }
}

/// Hosts that rules name; empty when a rule takes requests for any host.
std::vector<std::string> hosts_of_rules(const stack::LoadBalancer& lb) {
  std::vector<std::string> hosts;
  for (const auto& rule : lb.rules) {
    if (rule.host.empty()) return {};
    hosts.push_back(rule.host);
  }
  return hosts;
}

void judge_hosts(const tls::Certificate& certificate, const stack::CertificateFiles& files,
                 const stack::LoadBalancer& lb, Entry& entry) {
  for (const auto& host : files.hosts) {
    if (tls::covers(certificate.hosts, host)) continue;
    entry.warn("hosts", fmt::format("{} is not in the certificate", host),
               fmt::format("it is for {}", text::join(certificate.hosts, ", ")));
  }
  const auto& shown_for = files.hosts.empty() ? certificate.hosts : files.hosts;
  const auto hosts = hosts_of_rules(lb);
  const bool is_used =
      hosts.empty() || std::any_of(hosts.begin(), hosts.end(),
                                   [&](const auto& host) { return tls::covers(shown_for, host); });
  if (is_used) return;
  entry.warn("certificate", "it is for none of the hosts that rules name",
             fmt::format("it is for {}", text::join(shown_for, ", ")));
}

}  // namespace

std::map<std::string, std::string> digests_of(const Certificates& certificates) {
  std::map<std::string, std::string> digests;
  for (const auto& [name, bundle] : certificates.bundles) {
    digests[name] = lockfile::sha256_hex(bundle.reveal());
  }
  return digests;
}

Certificates read_certificates(Files& files, const std::string& folder, const stack::Stack& stack,
                               std::int64_t now) {
  Certificates result;
  if (!stack.lb || !stack.lb->tls) return result;
  const auto wanted = plan::wanted_certificates(stack);
  const auto& declared = stack.lb->tls->certificates;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    Entry entry(i, result.remarks);
    const auto certificate =
        read_file(files, folder, declared[i].certificate, "certificate", entry);
    auto key = read_file(files, folder, declared[i].key, "key", entry);
    if (!certificate || !key) continue;
    const auto read = tls::read_certificate(*certificate);
    if (!read) {
      entry.error("certificate", read.error().message, read.error().hint);
      continue;
    }
    const auto pair = tls::normalised({*certificate, Secret(std::move(*key))});
    if (!pair) {
      entry.error("key", pair.error().message, pair.error().hint);
      continue;
    }
    judge_life(*read, now, entry);
    judge_hosts(*read, declared[i], *stack.lb, entry);
    result.bundles[wanted[i].name] = tls::bundle_of(*pair);
  }
  return result;
}

}  // namespace paas::reconcile
