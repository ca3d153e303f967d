// Reads lb.tls: certificate files, ACME, the redirect and HSTS.
#include <fmt/format.h>

#include <algorithm>

#include "stack/read_stack.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

void read_switch(Reader& reader, const Fields& fields, std::string_view key, bool& target) {
  const auto found = fields.find(key);
  if (found == fields.end()) return;
  const auto written = reader.plain(found->second, "true or false");
  if (!written) return;
  if (*written == "true" || *written == "false") {
    target = *written == "true";
  } else {
    reader.report(found->second.path,
                  fmt::format("must be true or false, not {}", show_value(*written)));
  }
}

std::vector<std::string> read_hosts(Reader& reader, const Field& field,
                                    Parsed<std::string> (*parse)(std::string_view)) {
  std::vector<std::string> hosts;
  for (const auto& item : reader.items(field)) {
    auto host = reader.value(item, parse);
    if (!host) continue;
    if (std::find(hosts.begin(), hosts.end(), *host) != hosts.end()) {
      reader.report(item.path, fmt::format("{} stands here a second time", *host), "remove it");
    } else {
      hosts.push_back(std::move(*host));
    }
  }
  if (hosts.empty() && !reader.is_broken(field.path)) {
    reader.report(field.path, "is empty", "name a host, such as [www.example.com]");
  }
  return hosts;
}

std::string read_file(Reader& reader, const Field& map, const Fields& fields, std::string_view key,
                      std::string_view example) {
  const auto found = fields.find(key);
  if (found == fields.end()) {
    reader.missing(map, std::string(key),
                   fmt::format("name a PEM file beside the stack file, such as {}", example));
    return "";
  }
  return reader.value(found->second, parse_plain_text).value_or("");
}

CertificateFiles read_certificate_files(Reader& reader, const Field& field) {
  CertificateFiles files;
  const auto fields = reader.fields(field, {"certificate", "key", "hosts"});
  files.certificate = read_file(reader, field, fields, "certificate", "./tls/example.com.pem");
  files.key = read_file(reader, field, fields, "key", "./tls/example.com.key");
  if (const auto hosts = fields.find("hosts"); hosts != fields.end()) {
    files.hosts = read_hosts(reader, hosts->second, parse_certificate_host);
  }
  return files;
}

/// An authority that asks over HTTP proves single names only (RFC 8555, section 8.3).
Parsed<std::string> parse_proven_host(std::string_view text) {
  auto host = parse_host(text);
  if (host || !text.starts_with("*.")) return host;
  return tl::unexpected(Fault{
      fmt::format("{} is more than an authority that asks over HTTP can prove", show_value(text)),
      "name each host, or give a certificate for all of them under certificates"});
}

Acme read_acme(Reader& reader, const Field& field) {
  Acme acme;
  const auto fields = reader.fields(field, {"email", "hosts", "directory"});
  if (const auto email = fields.find("email"); email != fields.end()) {
    acme.email = reader.value(email->second, parse_email).value_or("");
  }
  if (const auto hosts = fields.find("hosts"); hosts != fields.end()) {
    acme.hosts = read_hosts(reader, hosts->second, parse_proven_host);
  } else {
    reader.missing(field, "hosts", "name the hosts, such as hosts: [www.example.com]");
  }
  if (const auto directory = fields.find("directory"); directory != fields.end()) {
    acme.directory = reader.value(directory->second, parse_directory_url).value_or("");
  }
  return acme;
}

Hsts read_hsts(Reader& reader, const Field& field) {
  Hsts hsts;
  const auto fields = reader.fields(field, {"max_age", "subdomains", "preload"});
  if (const auto age = fields.find("max_age"); age != fields.end()) {
    if (const auto value = reader.value(age->second, parse_duration)) {
      hsts.max_age_seconds = std::chrono::duration_cast<std::chrono::seconds>(*value).count();
    }
  } else {
    reader.missing(field, "max_age",
                   "browsers use nothing but https for as long, such as max_age: 365d");
  }
  read_switch(reader, fields, "subdomains", hsts.subdomains);
  read_switch(reader, fields, "preload", hsts.preload);
  return hsts;
}

}  // namespace

Tls read_tls(Reader& reader, const Field& field) {
  Tls tls;
  const auto fields = reader.fields(field, {"listen", "certificates", "acme", "redirect", "hsts"});
  if (const auto listen = fields.find("listen"); listen != fields.end()) {
    tls.listen = read_public_ports(reader, listen->second, "443");
  }
  if (const auto certificates = fields.find("certificates"); certificates != fields.end()) {
    for (const auto& item : reader.items(certificates->second)) {
      tls.certificates.push_back(read_certificate_files(reader, item));
    }
  }
  if (const auto acme = fields.find("acme"); acme != fields.end()) {
    tls.acme = read_acme(reader, acme->second);
  }
  read_switch(reader, fields, "redirect", tls.redirect);
  if (const auto hsts = fields.find("hsts"); hsts != fields.end()) {
    tls.hsts = read_hsts(reader, hsts->second);
  }
  return tls;
}

}  // namespace paas::stack
