// Where HAProxy finds its certificates: a folder of PEM files, and the list of those that it shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paas::haproxy {

inline constexpr std::string_view certificate_folder = "/etc/haproxy/certificates";
/// A crt-list: a line is a file and, in the end, the names that it is shown for (HAProxy's
/// configuration manual, bind option crt-list).
inline constexpr std::string_view certificate_list = "/etc/haproxy/certificates/list";
/// The first of the list, shown to those who ask for a name that no other one is for. It stays,
/// because what is shown by default cannot be taken out of a running HAProxy (measured, 2.6.12).
inline constexpr std::string_view placeholder_name = "default";
/// Of the loopback, where the ACME client answers the authority while it gets a certificate.
inline constexpr int challenge_port = 8402;

/// Letters, digits, "-", "_" and ".", not at the beginning: it becomes a file's name.
bool is_certificate_name(std::string_view name);
/// A host name, or "*." and one.
bool is_certificate_host(std::string_view host);

/// "/etc/haproxy/certificates/host.www.example.com.pem"
std::string certificate_path(std::string_view name);
/// Its line of the list; without hosts it is shown for the names that stand in it.
std::string list_line(std::string_view name, const std::vector<std::string>& hosts);

}  // namespace paas::haproxy
