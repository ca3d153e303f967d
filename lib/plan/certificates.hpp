// Which certificates the load balancer shall have, from the stack. Pure.
#pragma once

#include <string>
#include <vector>

#include "haproxy/model.hpp"
#include "lockfile/model.hpp"
#include "observe/model.hpp"
#include "stack/model.hpp"

namespace paas::plan {

/// How the load balancer comes by a certificate.
enum class CertificateSource {
  file,       ///< Of files beside the stack file.
  authority,  ///< Signed by the stack's own authority.
  acme,       ///< It gets it for itself, and renews it without paasctl.
};

struct WantedCertificate {
  std::string name;  ///< On the load balancer: "host.www.example.com", "file.tls_example.com.pem".
  CertificateSource source = CertificateSource::file;
  /// Names that it is shown for; of a file, empty: those that stand in it.
  std::vector<std::string> hosts;
  std::string label;  ///< For people: the host, or the file's path.
};

/// In the stack file's order, each with a name of its own.
std::vector<WantedCertificate> wanted_certificates(const stack::Stack& stack);

/// https as the load balancer shall speak it; nothing without lb.tls.
std::optional<haproxy::Tls> balancer_tls(const stack::Stack& stack);

/// The line of HAProxy's list that a certificate shall have.
std::string certificate_line(const WantedCertificate& wanted);

/// Whether the load balancer has the certificate's file with its line, and shows it if it runs with
/// the list.
bool is_in_place(const observe::Balancer& balancer, const WantedCertificate& wanted);

/// Whether a running HAProxy shows what is on its list; otherwise it reads all when it is
/// configured.
bool shows_list(const observe::Balancer& balancer);

/// The placeholder, which is always there.
WantedCertificate placeholder();

}  // namespace paas::plan
