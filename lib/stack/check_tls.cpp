// Judges lb.tls as far as no file has to be read for it.
#include <fmt/format.h>

#include <algorithm>

#include "stack/check.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

bool has_port(const std::vector<int>& ports, int port) {
  return std::find(ports.begin(), ports.end(), port) != ports.end();
}

void check_ports(Reader& reader, const LoadBalancer& lb) {
  for (std::size_t i = 0; i < lb.tls->listen.size(); ++i) {
    const int port = lb.tls->listen[i];
    const auto path = fmt::format("lb.tls.listen[{}]", i);
    if (!has_port(lb.listen, port) || reader.is_broken(path)) continue;
    // Without the key it is the default that clashes.
    const auto shown = reader.line_of(path) > 0 ? path : "lb.tls";
    reader.report(shown, fmt::format("port {} is in lb.listen as well", port),
                  "a port speaks either HTTP or TLS: remove it from one of the two");
  }
}

void check_files(Reader& reader, const std::vector<CertificateFiles>& certificates) {
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    const auto path = fmt::format("lb.tls.certificates[{}]", i);
    const bool is_repeated = std::any_of(
        certificates.begin(), certificates.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const auto& before) { return before.certificate == certificates[i].certificate; });
    if (!is_repeated || reader.is_broken(path)) continue;
    reader.report(
        path, fmt::format("{} stands here a second time", show_value(certificates[i].certificate)),
        "remove it, or name all its hosts in one place");
  }
}

/// HTTP-01 asks on port 80 (RFC 8555, section 8.3), from addresses that nobody announces.
void check_reached_by_authority(Reader& reader, const Stack& stack) {
  const auto& lb = *stack.lb;
  if (!has_port(lb.listen, 80) && !reader.is_broken("lb.listen")) {
    reader.report("lb.tls.acme",
                  "the authority asks the hosts on port 80, which is not in lb.listen",
                  "write listen: [80]");
  }
  const bool is_open = lb.allow.empty() ||
                       std::find(lb.allow.begin(), lb.allow.end(), "0.0.0.0/0") != lb.allow.end();
  if (!is_open && lb.tls->acme->directory.empty() && !reader.is_broken("lb.allow")) {
    reader.report("lb.tls.acme", "lb.allow keeps the authority out, which asks from any address",
                  "leave lb.allow out, or give certificates in files");
  }
}

void check_acme(Reader& reader, const Stack& stack) {
  if (!stack.lb->tls->acme || is_own_authority(stack) || reader.is_broken("cloud")) return;
  const std::string path = "lb.tls.acme.email";
  if (stack.lb->tls->acme->email.empty() && !reader.is_broken(path)) {
    reader.missing(path, "name whom the authority writes to, such as email: ops@example.com");
  }
  check_reached_by_authority(reader, stack);
}

/// What browsers' makers ask of a domain that is built into them: hstspreload.org.
void check_hsts(Reader& reader, const Hsts& hsts) {
  constexpr std::int64_t year_seconds = 365 * 86400;
  if (!hsts.preload || reader.is_broken("lb.tls.hsts")) return;
  if (hsts.subdomains && hsts.max_age_seconds >= year_seconds) return;
  reader.report("lb.tls.hsts.preload",
                "a domain that is built into browsers is https alone for a year, with all below it",
                "write max_age: 365d and subdomains: true, or leave out preload");
}

}  // namespace

void check_tls(Reader& reader, const Stack& stack) {
  if (!stack.lb || !stack.lb->tls) return;
  const auto& tls = *stack.lb->tls;
  if (tls.certificates.empty() && !tls.acme && !reader.is_broken("lb.tls")) {
    reader.report("lb.tls", "has neither certificates nor acme",
                  "name PEM files: certificates: [{certificate: ./tls/example.com.pem, key: "
                  "./tls/example.com.key}], or hosts to get certificates for: acme: {hosts: "
                  "[www.example.com]}");
  }
  check_ports(reader, *stack.lb);
  check_files(reader, tls.certificates);
  check_acme(reader, stack);
  if (tls.hsts) check_hsts(reader, *tls.hsts);
}

}  // namespace paas::stack
