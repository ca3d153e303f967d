// Reads X.509 certificates and private keys in PEM: whose they are, how long they last, whether
// they belong together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace paas::tls {

/// What stands in a certificate.
struct Certificate {
  /// Names that it is for, in lower case: subject alternative names, or the common name of one that
  /// has none. "*.example.com" is for all names one level below.
  std::vector<std::string> hosts;
  std::string issuer;           ///< "CN=R3,O=Let's Encrypt,C=US" (RFC 2253)
  std::int64_t not_before = 0;  ///< Unix time in seconds.
  std::int64_t not_after = 0;   ///< Unix time in seconds.
  /// SHA-1 over its DER as upper-case hexadecimal: how HAProxy's `show ssl cert` tells one.
  std::string fingerprint;
};

/// A certificate with its chain, and its private key, both in PEM.
struct Pair {
  std::string certificate;
  Secret key;
};

/// The first certificate of a PEM text. Error invalid when there is none.
Result<Certificate> read_certificate(std::string_view pem);

/// Certificates and key checked against each other and written anew, without what stands around
/// them. Errors (invalid): no certificate, no key, a key with a passphrase, a key of another
/// certificate.
Result<Pair> normalised(const Pair& pair);

/// The one file that HAProxy reads: certificates, then the key. Without empty lines, which would
/// end a payload of its Runtime API.
Secret bundle_of(const Pair& pair);

/// Whether one of the certificate's names is for `host`; a host "*.example.com" is only covered by
/// the same name (RFC 6125, section 6.4.3).
bool covers(const std::vector<std::string>& names, std::string_view host);

/// Whether the first certificate was signed with the key of the second.
bool is_signed_by(std::string_view pem, std::string_view authority_pem);

}  // namespace paas::tls
