// Certificates of a HAProxy in memory.
#pragma once

#include <string>
#include <vector>

#include "base/text.hpp"
#include "haproxy/certificates.hpp"
#include "lockfile/seal.hpp"
#include "observe/model.hpp"
#include "tls/certificate.hpp"

namespace paas::plan::testing {

inline std::string fingerprint_of(const observe::Certificate& certificate) {
  const auto read = tls::read_certificate(certificate.text);
  return read ? read->fingerprint : "";
}

inline bool is_line_of(const std::string& line, const std::string& name) {
  return text::split(line, ' ')[0] == haproxy::certificate_path(name);
}

inline void replace_line(std::vector<std::string>& lines, const std::string& name,
                         const std::string& line) {
  std::erase_if(lines, [&](const auto& old) { return is_line_of(old, name); });
  lines.insert(name == haproxy::placeholder_name ? lines.begin() : lines.end(), line);
}

/// As HAProxy reads them when it is started with a configuration that names the list.
inline void read_certificates(observe::Balancer& haproxy) {
  const bool uses = haproxy.configuration.find(haproxy::certificate_list) != std::string::npos;
  haproxy.shown_certificates = uses ? haproxy.listed_certificates : std::vector<std::string>();
  for (auto& [name, certificate] : haproxy.certificates) {
    certificate.shown = uses ? fingerprint_of(certificate) : "";
  }
}

/// As the program on the load balancer does it; `bundle` is certificate and key in PEM.
inline void put_certificate(observe::Balancer& haproxy, const std::string& name,
                            const std::vector<std::string>& hosts, const std::string& bundle) {
  auto& certificate = haproxy.certificates[name];
  certificate.digest = lockfile::sha256_hex(bundle);
  certificate.text = bundle.substr(0, bundle.find("-----BEGIN PRIVATE KEY-----"));
  const auto line = haproxy::list_line(name, hosts);
  replace_line(haproxy.listed_certificates, name, line);
  if (haproxy.shown_certificates.empty()) return;
  certificate.shown = fingerprint_of(certificate);
  replace_line(haproxy.shown_certificates, name, line);
}

inline void remove_certificate(observe::Balancer& haproxy, const std::string& name) {
  haproxy.certificates.erase(name);
  for (auto* lines : {&haproxy.listed_certificates, &haproxy.shown_certificates}) {
    std::erase_if(*lines, [&](const auto& line) { return is_line_of(line, name); });
  }
}

}  // namespace paas::plan::testing
