// Certificates in files beside the stack file: read and judged before anything is planned.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "ports/files.hpp"
#include "stack/model.hpp"

namespace paas::reconcile {

/// What is wrong with one, or soon will be.
struct CertificateRemark {
  enum class Weight { error, warning };
  Weight weight = Weight::error;
  std::vector<std::string> keys;  ///< Where it stands: {"lb", "tls", "certificates", "0", "key"}.
  std::string key_path;           ///< "lb.tls.certificates[0].key"
  std::string message;
  std::string hint;
};

struct Certificates {
  std::map<std::string, Secret>
      bundles;  ///< As HAProxy reads them, by plan::WantedCertificate's name.
  std::vector<CertificateRemark> remarks;
};

/// SHA-256 of each by name, for plan::Input.
std::map<std::string, std::string> digests_of(const Certificates& certificates);

/// Paths are relative to `folder`, where the stack file lies; `now` is Unix time in seconds. Errors
/// among the remarks: a file that cannot be read, no certificate, a key of another one or with a
/// passphrase, one that is over or has not begun. Warnings: less than 14 days are left; none of the
/// hosts of the rules is in it; a host that it is shown for is not.
Certificates read_certificates(Files& files, const std::string& folder, const stack::Stack& stack,
                               std::int64_t now);

}  // namespace paas::reconcile
