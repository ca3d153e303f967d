// Names of certificates, and what of them is in place.
#include "plan/certificates.hpp"

#include <algorithm>
#include <set>

#include "haproxy/certificates.hpp"
#include "tls/certificate.hpp"

namespace paas::plan {

namespace {

/// "./tls/example.com.pem" -> "file.tls_example.com.pem"
std::string name_of_file(const std::string& path) {
  std::string name = "file.";
  for (const char c : path.substr(path.starts_with("./") ? 2 : 0)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_';
    name += fits ? c : '_';
  }
  constexpr std::size_t length_max = 150;
  return name.substr(0, length_max);
}

bool has_line(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

std::vector<WantedCertificate> wanted_certificates(const stack::Stack& stack) {
  std::vector<WantedCertificate> result;
  if (!stack.lb || !stack.lb->tls) return result;
  std::set<std::string> names;
  for (const auto& files : stack.lb->tls->certificates) {
    const auto base = name_of_file(files.certificate);
    auto name = base;
    for (int next = 2; !names.insert(name).second; ++next) name = base + "." + std::to_string(next);
    result.push_back({name, CertificateSource::file, files.hosts, files.certificate});
  }
  if (!stack.lb->tls->acme) return result;
  const auto source =
      stack::is_own_authority(stack) ? CertificateSource::authority : CertificateSource::acme;
  for (const auto& host : stack.lb->tls->acme->hosts) {
    result.push_back({"host." + host, source, {}, host});
  }
  return result;
}

std::optional<haproxy::Tls> balancer_tls(const stack::Stack& stack) {
  if (!stack.lb || !stack.lb->tls) return std::nullopt;
  const auto& declared = *stack.lb->tls;
  haproxy::Tls tls;
  tls.listen = declared.listen;
  tls.redirect = declared.redirect;
  tls.hsts = declared.hsts;
  tls.answers_challenges = declared.acme && !stack::is_own_authority(stack);
  return tls;
}

std::string certificate_line(const WantedCertificate& wanted) {
  return haproxy::list_line(wanted.name, wanted.hosts);
}

WantedCertificate placeholder() {
  return {std::string(haproxy::placeholder_name), CertificateSource::file, {}, "a placeholder"};
}

bool shows_list(const observe::Balancer& balancer) {
  return balancer.running && !balancer.shown_certificates.empty();
}

bool is_in_place(const observe::Balancer& balancer, const WantedCertificate& wanted) {
  const auto found = balancer.certificates.find(wanted.name);
  const auto line = certificate_line(wanted);
  if (found == balancer.certificates.end() || !has_line(balancer.listed_certificates, line)) {
    return false;
  }
  if (!shows_list(balancer)) return true;
  const auto read = tls::read_certificate(found->second.text);
  return read && read->fingerprint == found->second.shown &&
         has_line(balancer.shown_certificates, line);
}

}  // namespace paas::plan
