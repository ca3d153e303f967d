// Names and lines of HAProxy's list of certificates.
#include "haproxy/certificates.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "haproxy/values.hpp"

namespace paas::haproxy {

bool is_certificate_name(std::string_view name) {
  return is_host(name) && !name.starts_with('.') && name.size() <= 200;
}

bool is_certificate_host(std::string_view host) {
  return is_host(host.starts_with("*.") ? host.substr(2) : host);
}

std::string certificate_path(std::string_view name) {
  return fmt::format("{}/{}.pem", certificate_folder, name);
}

std::string list_line(std::string_view name, const std::vector<std::string>& hosts) {
  auto line = certificate_path(name);
  if (!hosts.empty()) line += " [] " + text::join(hosts, " ");
  return line;
}

}  // namespace paas::haproxy
