// Certificates by OpenSSL: EC keys on P-256, signed with SHA-256.
#include "tls/authority.hpp"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/text.hpp"
#include "tls/openssl.hpp"

namespace paas::tls {

namespace {

constexpr std::int64_t authority_seconds = 3650 * day_seconds;
/// Clocks differ a little.
constexpr std::int64_t earlier_seconds = 3600;
/// Longest common name (RFC 5280, ub-common-name); browsers look at alternative names only.
constexpr std::size_t common_name_max = 64;

tl::unexpected<Error> failed(const std::string& what) {
  ERR_clear_error();
  return fail(ErrorKind::failed, "OpenSSL could not " + what);
}

/// The serial number: 63 random bits, as RFC 5280 section 4.1.2.2 lets them be.
bool set_serial(X509* certificate) {
  BIGNUM* number = BN_new();
  const bool is_set = number != nullptr &&
                      BN_rand(number, 63, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return is_set;
}

bool set_times(X509* certificate, std::int64_t begin, std::int64_t end) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<std::time_t>(begin)) !=
             nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<std::time_t>(end)) != nullptr;
}

bool set_name(X509_NAME* name, const std::string& common_name) {
  const auto text = common_name.substr(0, common_name_max);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  const bool is_added = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return is_added;
}

/// A certificate for `key` without extensions and signature.
CertificatePtr begin(EVP_PKEY* key, const std::string& common_name, std::int64_t now,
                     std::int64_t seconds) {
  CertificatePtr certificate(X509_new());
  const bool is_begun = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                        set_serial(certificate.get()) &&
                        set_times(certificate.get(), now - earlier_seconds, now + seconds) &&
                        set_name(X509_get_subject_name(certificate.get()), common_name) &&
                        X509_set_pubkey(certificate.get(), key) == 1;
  return is_begun ? std::move(certificate) : nullptr;
}

bool sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

}  // namespace

Result<Pair> make_authority(const std::string& stack, std::int64_t now) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return failed("make a key");
  const auto made =
      begin(key.get(), fmt::format("paasctl authority of {}", stack), now, authority_seconds);
  auto* const certificate = made.get();
  const bool is_made =
      made &&
      add_extension(certificate, certificate, NID_basic_constraints,
                    "critical,CA:TRUE,pathlen:0") &&
      add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(certificate, certificate, NID_subject_key_identifier, "hash") &&
      sign(certificate, certificate, key.get());
  if (!is_made) return failed("make a certificate authority");
  return Pair{pem_of(certificate), pem_of(key.get())};
}

Result<Pair> make_leaf(const Pair& authority, const std::vector<std::string>& hosts,
                       std::int64_t now) {
  const auto issuers = certificates_in(authority.certificate);
  const auto issuer_key = key_in(authority.key.reveal());
  if (issuers.empty() || !issuer_key || hosts.empty()) {
    return fail(ErrorKind::invalid, "the certificate authority of the stack cannot be read");
  }
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return failed("make a key");
  const auto made = begin(key.get(), hosts.front(), now, leaf_seconds);
  auto* const certificate = made.get();
  auto* const issuer = issuers.front().get();
  const auto names = "DNS:" + text::join(hosts, ",DNS:");
  const bool is_made =
      made && add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
      add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
      add_extension(certificate, issuer, NID_subject_alt_name, names) &&
      add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
      add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
      sign(certificate, issuer, issuer_key.get());
  if (!is_made) return failed("sign a certificate for " + hosts.front());
  return Pair{pem_of(certificate), pem_of(key.get())};
}

Result<Pair> make_placeholder(std::int64_t now) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return failed("make a key");
  const auto made = begin(key.get(), "no certificate for this name", now, authority_seconds);
  const bool is_made = made && sign(made.get(), made.get(), key.get());
  if (!is_made) return failed("make a placeholder for certificates");
  return Pair{pem_of(made.get()), pem_of(key.get())};
}

bool is_due(const Certificate& certificate, std::int64_t now) {
  return certificate.not_after - now < (certificate.not_after - certificate.not_before) / 3;
}

}  // namespace paas::tls
