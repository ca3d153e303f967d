// What the public frontend has for https: ports with certificates, the redirect and HSTS.
#include <fmt/format.h>

#include "haproxy/certificates.hpp"
#include "haproxy/render.hpp"

namespace paas::haproxy {

namespace {

/// Names of backends have no dot, so no service can be called like this.
constexpr std::string_view challenge_backend = "acme.challenge";

// Mozilla's "intermediate" of 2023 (ssl-config.mozilla.org, guideline 5.7): TLS 1.2 and 1.3,
// forward secrecy, the client's choice among equals. Its DHE suites are left out: what speaks
// TLS 1.2 knows ECDHE, and they would need parameters. Tickets are off because their keys live as
// long as the process; sessions are resumed from its cache.
constexpr std::string_view tls_options =
    "alpn h2,http/1.1 ssl-min-ver TLSv1.2 no-tls-tickets prefer-client-ciphers "
    "ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305 "
    "ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256 "
    "curves X25519:P-256:P-384";

std::string hsts_value(const stack::Hsts& hsts) {
  return fmt::format("max-age={}{}{}", hsts.max_age_seconds,
                     hsts.subdomains ? "; includeSubDomains" : "", hsts.preload ? "; preload" : "");
}

// 308 rather than 301: a form that is sent to http arrives at https as it was, with its method and
// body, where after a 301 browsers ask with GET and drop what was sent (RFC 9110, section 15.4). An
// authority's question is not redirected, also not where a service answers it: it has no
// certificate yet.
void render_redirect(Output out, const Tls& tls) {
  const int port = tls.listen.front();
  fmt::format_to(out,
                 "    acl acme-challenge path_beg /.well-known/acme-challenge/\n"
                 "    http-request redirect prefix https://%[req.hdr(host),host_only]{} code 308 "
                 "unless {{ ssl_fc }} or acme-challenge\n",
                 port == 443 ? "" : fmt::format(":{}", port));
}

}  // namespace

void render_tls_ports(Output out, const Tls& tls) {
  for (const int port : tls.listen) {
    fmt::format_to(out, "    bind *:{} ssl crt-list {} {}\n", port, certificate_list, tls_options);
  }
}

// HSTS is put on all answers, HAProxy's own ones among them, and over https alone, where browsers
// believe it (RFC 6797, section 7.2).
void render_tls_rules(Output out, const Tls& tls) {
  if (tls.redirect) render_redirect(out, tls);
  if (tls.hsts) {
    fmt::format_to(out,
                   "    http-after-response set-header Strict-Transport-Security \"{}\" if "
                   "{{ ssl_fc }}\n",
                   hsts_value(*tls.hsts));
  }
}

void render_challenge_rule(Output out, const Tls& tls) {
  if (!tls.answers_challenges) return;
  fmt::format_to(out, "    use_backend {} if {{ path_beg /.well-known/acme-challenge/ }}\n",
                 challenge_backend);
}

// It is not checked: the client listens only while it gets a certificate.
void render_challenges(Output out, const Tls& tls) {
  if (!tls.answers_challenges) return;
  fmt::format_to(out, "\nbackend {}\n    server certbot 127.0.0.1:{}\n", challenge_backend,
                 challenge_port);
}

}  // namespace paas::haproxy
