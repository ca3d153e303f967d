// OpenSSL's objects with their ends, and PEM texts of them. Internal to this module.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace paas::tls {

struct Freed {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using CertificatePtr = std::unique_ptr<X509, Freed>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freed>;
using BioPtr = std::unique_ptr<BIO, Freed>;

/// All certificates of a PEM text; what stands between them is left out.
std::vector<CertificatePtr> certificates_in(std::string_view pem);
/// Null when there is none, or it has a passphrase.
KeyPtr key_in(std::string_view pem);
std::string pem_of(X509* certificate);
Secret pem_of(EVP_PKEY* key);

}  // namespace paas::tls
