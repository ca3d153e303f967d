// What stands in a certificate, by OpenSSL.
#include "tls/certificate.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.hpp"
#include "tls/openssl.hpp"

namespace paas::tls {

namespace {

struct FreedNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> hosts;
  const std::unique_ptr<GENERAL_NAMES, FreedNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) hosts.push_back(text::lower(text_of(name->d.dNSName)));
  }
  return hosts;
}

std::vector<std::string> common_name(X509* certificate) {
  const auto* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0) return {};
  const auto* entry = X509_NAME_get_entry(subject, place);
  return {text::lower(text_of(X509_NAME_ENTRY_get_data(entry)))};
}

std::string issuer_of(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio) return "";
  X509_NAME_print_ex(bio.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return size <= 0 ? "" : std::string(data, static_cast<std::size_t>(size));
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return timegm(&parts);
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  X509_digest(certificate, EVP_sha1(), digest.data(), &length);
  auto hex = text::hex({reinterpret_cast<const char*>(digest.data()), length});
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return hex;
}

}  // namespace

Result<Certificate> read_certificate(std::string_view pem) {
  const auto found = certificates_in(pem);
  if (found.empty()) {
    return fail(ErrorKind::invalid, "has no certificate in PEM",
                "it begins with -----BEGIN CERTIFICATE-----, and its chain comes after it");
  }
  auto* const first = found.front().get();
  Certificate result;
  result.hosts = alternative_names(first);
  if (result.hosts.empty()) result.hosts = common_name(first);
  result.issuer = issuer_of(first);
  result.not_before = seconds_of(X509_get0_notBefore(first));
  result.not_after = seconds_of(X509_get0_notAfter(first));
  result.fingerprint = fingerprint_of(first);
  return result;
}

Result<Pair> normalised(const Pair& pair) {
  const auto found = certificates_in(pair.certificate);
  if (found.empty()) return fail(read_certificate(pair.certificate).error());
  const auto key = key_in(pair.key.reveal());
  if (!key) {
    return fail(ErrorKind::invalid, "has no private key in PEM, or one with a passphrase",
                "HAProxy has nobody to ask when it starts: `openssl pkey -in FILE` writes the key "
                "without one");
  }
  const bool match = X509_check_private_key(found.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!match) {
    return fail(ErrorKind::invalid, "is not the key of the first certificate in the other file",
                "the certificate itself stands before its chain");
  }
  Pair result;
  for (const auto& certificate : found) result.certificate += pem_of(certificate.get());
  result.key = pem_of(key.get());
  return result;
}

Secret bundle_of(const Pair& pair) { return Secret(pair.certificate + pair.key.reveal()); }

bool covers(const std::vector<std::string>& names, std::string_view host) {
  const auto wanted = text::lower(host);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    if (name == wanted) return true;
    if (!name.starts_with("*.") || wanted.starts_with("*.")) return false;
    const auto dot = wanted.find('.');
    return dot != std::string::npos && dot > 0 && wanted.substr(dot) == name.substr(1);
  });
}

bool is_signed_by(std::string_view pem, std::string_view authority_pem) {
  const auto found = certificates_in(pem);
  const auto authority = certificates_in(authority_pem);
  if (found.empty() || authority.empty()) return false;
  auto* const key = X509_get0_pubkey(authority.front().get());
  const bool is_signed = key != nullptr && X509_verify(found.front().get(), key) == 1;
  ERR_clear_error();
  return is_signed;
}

}  // namespace paas::tls
