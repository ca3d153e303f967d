// Certificates and keys: those of the stack's own authority, and texts as OpenSSL's tools write
// them.
#include "tls/certificate.hpp"

#include <doctest/doctest.h>

#include "base/text.hpp"
#include "tls/authority.hpp"

namespace paas::tls {
namespace {

constexpr std::int64_t now = 1'900'000'000;

Pair authority() {
  auto made = make_authority("shop", now);
  REQUIRE(made);
  return *made;
}

Pair leaf(const Pair& signer, const std::vector<std::string>& hosts) {
  auto made = make_leaf(signer, hosts, now);
  REQUIRE(made);
  return *made;
}

TEST_CASE("tls: a certificate tells its hosts, its life and its fingerprint") {
  const auto pair = leaf(authority(), {"www.example.com", "*.shop.example.com"});
  const auto read = read_certificate(pair.certificate);
  REQUIRE(read);
  CHECK(read->hosts == std::vector<std::string>{"www.example.com", "*.shop.example.com"});
  CHECK(read->issuer == "CN=paasctl authority of shop");
  CHECK(read->not_before < now);
  CHECK(read->not_after == now + leaf_seconds);
  CHECK(read->fingerprint.size() == 40);
  CHECK(read->fingerprint.find_first_not_of("0123456789ABCDEF") == std::string::npos);
}

TEST_CASE("tls: what stands around certificates and keys is left out") {
  const auto signer = authority();
  const auto pair = leaf(signer, {"a.test"});
  const Pair written{"subject: a.test\n" + pair.certificate + "\n\n" + signer.certificate,
                     Secret("\n\n" + pair.key.reveal() + "\n")};
  const auto read = normalised(written);
  REQUIRE(read);
  CHECK(read->certificate == pair.certificate + signer.certificate);
  CHECK(read->key == pair.key);
  const auto bundle = bundle_of(*read).reveal();
  CHECK(bundle.find("\n\n") == std::string::npos);
  CHECK(bundle.ends_with("-----END PRIVATE KEY-----\n"));
}

TEST_CASE("tls: a key and its certificate may stand in one file") {
  const auto pair = leaf(authority(), {"a.test"});
  const auto both = pair.key.reveal() + pair.certificate;
  const auto read = normalised({both, Secret(both)});
  REQUIRE(read);
  CHECK(read->certificate == pair.certificate);
}

TEST_CASE("tls: a key of another certificate is refused") {
  const auto signer = authority();
  const auto first = leaf(signer, {"a.test"});
  const auto second = leaf(signer, {"b.test"});
  const auto read = normalised({first.certificate, second.key});
  REQUIRE_FALSE(read);
  CHECK(read.error().message == "is not the key of the first certificate in the other file");
  // The chain before the certificate is the same mistake.
  CHECK_FALSE(normalised({signer.certificate + first.certificate, first.key}));
}

TEST_CASE("tls: what is no certificate or no key is refused") {
  const auto pair = leaf(authority(), {"a.test"});
  CHECK_FALSE(read_certificate(""));
  CHECK_FALSE(read_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  CHECK_FALSE(normalised({"nothing", pair.key}));
  CHECK_FALSE(normalised({pair.certificate, Secret("nothing")}));
  // openssl pkey -aes256: it must be refused, and nobody asked at the terminal.
  const Secret locked(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg1w1v8m1w2pgICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPX0o2PZ4m0nX0qv0o2PZ4kEgZAA\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n");
  const auto refused = normalised({pair.certificate, locked});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "has no private key in PEM, or one with a passphrase");
}

TEST_CASE("tls: any part of a certificate's text is read or refused") {
  const auto pem = leaf(authority(), {"a.test"}).certificate;
  for (std::size_t i = 0; i < pem.size(); ++i) {
    (void)read_certificate(std::string_view(pem).substr(0, i));
    auto changed = pem;
    changed[i] = 'A';
    (void)read_certificate(changed);
  }
  CHECK(read_certificate(pem));
}

TEST_CASE("tls: a name covers itself, and a wildcard one level below") {
  const std::vector<std::string> names = {"example.com", "*.example.org"};
  CHECK(covers(names, "example.com"));
  CHECK(covers(names, "EXAMPLE.com"));
  CHECK_FALSE(covers(names, "www.example.com"));
  CHECK(covers(names, "www.example.org"));
  CHECK_FALSE(covers(names, "a.www.example.org"));
  CHECK_FALSE(covers(names, "example.org"));
  CHECK_FALSE(covers(names, ".example.org"));
  CHECK(covers(names, "*.example.org"));
  CHECK_FALSE(covers(names, "*.example.com"));
}

TEST_CASE("tls: an authority signs what is verified with its certificate alone") {
  const auto first = authority();
  const auto second = authority();
  const auto pair = leaf(first, {"a.test"});
  CHECK(is_signed_by(pair.certificate, first.certificate));
  CHECK_FALSE(is_signed_by(pair.certificate, second.certificate));
  CHECK_FALSE(is_signed_by("", first.certificate));
  CHECK_FALSE(make_leaf({first.certificate, Secret("x")}, {"a.test"}, now));
}

TEST_CASE("tls: a certificate is due when less than a third of its life is left") {
  const auto read = read_certificate(leaf(authority(), {"a.test"}).certificate);
  REQUIRE(read);
  CHECK_FALSE(is_due(*read, now));
  CHECK_FALSE(is_due(*read, now + 59 * day_seconds));
  CHECK(is_due(*read, now + 61 * day_seconds));
  CHECK(is_due(*read, now + 100 * day_seconds));
}

TEST_CASE("tls: the placeholder is for no host") {
  const auto pair = make_placeholder(now);
  REQUIRE(pair);
  CHECK(normalised(*pair));
  const auto read = read_certificate(pair->certificate);
  REQUIRE(read);
  CHECK(read->hosts == std::vector<std::string>{"no certificate for this name"});
}

}  // namespace
}  // namespace paas::tls
