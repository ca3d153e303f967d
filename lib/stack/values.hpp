// Reads the values of a stack file: names, addresses, durations and sizes, held to allowlists.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "stack/traffic.hpp"

namespace paas::stack {

/// Why a value was refused; the caller adds where it stands.
struct Fault {
  std::string message;
  std::string hint;
};

template <typename T>
using Parsed = tl::expected<T, Fault>;

/// Of stacks, services and images: they become parts of host names, tags and container names.
Parsed<std::string> parse_name(std::string_view text);
/// Of environment variables and build arguments.
Parsed<std::string> parse_variable_name(std::string_view text);
/// A value of an environment variable: no control characters but tab and line feed.
Parsed<std::string> parse_variable_value(std::string_view text);
/// Of database users and databases.
Parsed<std::string> parse_identifier(std::string_view text);
/// DigitalOcean's names of sizes, regions and images, such as s-1vcpu-1gb.
Parsed<std::string> parse_slug(std::string_view text);
/// A scheme of URLs, as RFC 3986 section 3.1 says, in lower case.
Parsed<std::string> parse_scheme(std::string_view text);
/// What the controller tracks: words joined by points, such as requests_per_second.per_instance.
Parsed<std::string> parse_metric(std::string_view text);

/// "10.0.0.0/8", "2001:db8::/32" in canonical form; a plain address becomes /32 or /128.
Parsed<std::string> parse_cidr(std::string_view text);
/// A host name without a port, in lower case.
Parsed<std::string> parse_host(std::string_view text);
/// The same, or "*.example.com" for all names below it, with one label more or several.
Parsed<std::string> parse_rule_host(std::string_view text);
/// An HTTP path for HAProxy's configuration: begins with "/", no query.
Parsed<std::string> parse_http_path(std::string_view text);
/// The same with a query allowed, for health checks.
Parsed<std::string> parse_health_path(std::string_view text);

/// A method as HTTP writes it, such as GET or PROPFIND.
Parsed<std::string> parse_method(std::string_view text);
/// The name of a header, in lower case, as HTTP/2 writes it.
Parsed<std::string> parse_header_name(std::string_view text);
/// The name of a cookie.
Parsed<std::string> parse_cookie_name(std::string_view text);
/// A header's value to compare with: no spaces, nor what HAProxy's configuration has a meaning for.
Parsed<std::string> parse_header_value(std::string_view text);
/// Where a redirect leads: "https://www.example.com" with or without a path, or a path.
Parsed<std::string> parse_redirect_target(std::string_view text);

/// "500ms", "2s", "1m30s", "1h", "365d".
Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
/// "10GiB" or "1TiB" as GiB, from 1 to 16384.
Parsed<int> parse_volume_size(std::string_view text);
Parsed<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max);
/// A number above zero.
Parsed<double> parse_positive_number(std::string_view text);
/// "100/10s": so many requests in a time of whole seconds, up to an hour.
Parsed<Rate> parse_rate(std::string_view text);
/// "64KiB", "10MiB", "1GiB" in bytes.
Parsed<std::int64_t> parse_byte_size(std::string_view text);
/// A page of at most page_bytes_max bytes of UTF-8, which HAProxy keeps in its configuration: its
/// answers have to fit into a buffer of 16 KiB.
Parsed<std::string> parse_page(std::string_view text);
constexpr std::size_t page_bytes_max = 12'288;
/// "text/html": a type of contents without parameters.
Parsed<std::string> parse_media_type(std::string_view text);
/// "443", "8000-9000" or "all".
Parsed<std::string> parse_port_range(std::string_view text);

/// A platform as Docker writes it: "linux/amd64" or "linux/arm/v7".
Parsed<std::string> parse_platform(std::string_view text);
/// A registry's host as references to images name it, with its port where it has one.
Parsed<std::string> parse_registry_host(std::string_view text);
/// The id of a build's secret, which a Dockerfile names.
Parsed<std::string> parse_secret_id(std::string_view text);
/// An absolute path in a container that a volume can be mounted at.
Parsed<std::string> parse_mount(std::string_view text);
/// A path that stays in the build context: relative, without "..".
Parsed<std::string> parse_inner_path(std::string_view text);
/// A reference to an image in a registry.
Parsed<std::string> parse_image_reference(std::string_view text);
/// An address of mail.
Parsed<std::string> parse_email(std::string_view text);
/// The https URL of an ACME server's directory.
Parsed<std::string> parse_directory_url(std::string_view text);
/// A host name, or all names one level below one: "*.example.com".
Parsed<std::string> parse_certificate_host(std::string_view text);
/// Any text without control characters that is not empty.
Parsed<std::string> parse_plain_text(std::string_view text);

}  // namespace paas::stack
