// Reads what the load balancer does with all requests.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stack/read_stack.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

using std::chrono::milliseconds;

void read_timeouts(Reader& reader, const Field& field, Timeouts& timeouts) {
  struct Part {
    std::string_view key;
    int Timeouts::*value;
  };
  constexpr std::array parts = {
      Part{"connect", &Timeouts::connect_ms},       Part{"client", &Timeouts::client_ms},
      Part{"server", &Timeouts::server_ms},         Part{"request", &Timeouts::request_ms},
      Part{"keep_alive", &Timeouts::keep_alive_ms}, Part{"queue", &Timeouts::queue_ms},
      Part{"tunnel", &Timeouts::tunnel_ms}};
  std::vector<std::string> keys;
  for (const auto& part : parts) keys.emplace_back(part.key);
  const auto fields = reader.fields(field, keys);
  for (const auto& part : parts) {
    const auto value =
        read_duration(reader, fields, part.key, milliseconds(100), std::chrono::hours(24));
    if (value) timeouts.*part.value = static_cast<int>(value->count());
  }
}

constexpr std::array usual_types = {"text/html",        "text/plain",      "text/css",
                                    "text/javascript",  "text/xml",        "application/javascript",
                                    "application/json", "application/xml", "application/wasm",
                                    "image/svg+xml"};

void read_compression(Reader& reader, const Field& field, Traffic& traffic) {
  if (field.node->kind != yaml::Kind::sequence) {
    const auto written = reader.plain(field, "true or a list of types");
    if (written == "true") {
      traffic.compression.assign(usual_types.begin(), usual_types.end());
    } else if (written && written != "false") {
      reader.report(field.path,
                    fmt::format("must be true or a list of types, not {}", show_value(*written)),
                    "such as [text/html, application/json]");
    }
    return;
  }
  for (const auto& item : reader.items(field)) {
    if (auto type = reader.value(item, parse_media_type)) {
      traffic.compression.push_back(std::move(*type));
    }
  }
  // They are one line of HAProxy's, which has 64 words and 2048 bytes at most.
  constexpr std::size_t count_limit = 40;
  constexpr std::size_t size_limit = 1500;
  std::size_t size = 0;
  for (const auto& type : traffic.compression) size += type.size();
  if (traffic.compression.size() > count_limit || size > size_limit) {
    reader.report(field.path,
                  fmt::format("has more than {} types, or {} letters", count_limit, size_limit));
  } else if (traffic.compression.empty() && !reader.is_broken(field.path)) {
    reader.report(field.path, "is empty", "leave it out to compress nothing");
  }
}

void read_log(Reader& reader, const Field& field, Traffic& traffic) {
  const auto written = reader.text(field);
  if (written == "true") {
    traffic.log = AccessLog::text;
  } else if (written == "json") {
    traffic.log = AccessLog::json;
  } else if (written && written != "false") {
    reader.report(field.path, fmt::format("there is no log {}", show_value(*written)),
                  "write true for a line a request, or json for an object a request");
  }
}

}  // namespace

Sticky read_sticky(Reader& reader, const Field& field) {
  Sticky sticky;
  if (field.node->kind == yaml::Kind::scalar) {
    reader.report(field.path, "must be a map, not text",
                  "write {by: source}, {cookie: NAME} or {header: NAME}");
    return sticky;
  }
  const auto fields = reader.fields(field, {"by", "cookie", "header", "keep"});
  const auto has = [&](std::string_view key) { return fields.find(key) != fields.end(); };
  if (has("by")) {
    const auto by = reader.text(fields.at("by"));
    if (by && *by != "source") {
      reader.report(fields.at("by").path,
                    fmt::format("clients are not known by {}", show_value(*by)),
                    "write source, or {cookie: NAME} or {header: NAME}");
    }
  }
  if (has("cookie")) sticky.by = Sticky::By::cookie;
  if (has("header")) sticky.by = Sticky::By::header;
  read_text(reader, fields, "cookie", parse_cookie_name, sticky.name);
  read_text(reader, fields, "header", parse_header_name, sticky.name);
  if (field.node->kind == yaml::Kind::map && !reader.is_broken(field.path) &&
      has("by") + has("cookie") + has("header") != 1) {
    reader.report(field.path, "clients are known by one thing",
                  "write one of {by: source}, {cookie: NAME} and {header: NAME}");
  }
  const auto keep =
      read_duration(reader, fields, "keep", milliseconds(1000), std::chrono::hours(720));
  if (keep && keep->count() % 1000 != 0) {
    reader.report(fields.at("keep").path, "must be whole seconds", "such as 2h");
  }
  if (keep) sticky.keep_seconds = static_cast<int>(keep->count() / 1000);
  return sticky;
}

const std::vector<std::string>& traffic_keys() {
  static const std::vector<std::string> keys = {"limit", "timeouts",        "compression", "health",
                                                "log",   "trusted_proxies", "maintenance"};
  return keys;
}

MaintenancePage read_maintenance(Reader& reader, const Field& field) {
  MaintenancePage page;
  const auto fields = reader.fields(field, {"page", "html"});
  read_text(reader, fields, "page", parse_plain_text, page.file);
  read_text(reader, fields, "html", parse_page, page.html);
  if (field.node->kind == yaml::Kind::map && !reader.is_broken(field.path) && fields.size() != 1) {
    reader.report(field.path, "there is one page", "write one of {page: FILE} and {html: TEXT}");
  }
  return page;
}

Limit read_limit(Reader& reader, const Field& field) {
  Limit limit;
  const auto fields = reader.fields(field, {"requests", "body"});
  if (const auto requests = fields.find("requests"); requests != fields.end()) {
    limit.requests = reader.value(requests->second, parse_rate);
  }
  if (const auto body = fields.find("body"); body != fields.end()) {
    limit.body_bytes = reader.value(body->second, parse_byte_size);
  }
  if (limit == Limit{} && !reader.is_broken(field.path)) {
    reader.report(field.path, "limits nothing", "such as {requests: 100/10s, body: 10MiB}");
  }
  return limit;
}

Traffic read_traffic(Reader& reader, const Fields& fields) {
  Traffic traffic;
  const auto with = [&](std::string_view key, auto&& read) {
    if (const auto found = fields.find(key); found != fields.end()) read(found->second);
  };
  with("limit", [&](const Field& f) { traffic.limit = read_limit(reader, f); });
  with("timeouts", [&](const Field& f) { read_timeouts(reader, f, traffic.timeouts); });
  with("compression", [&](const Field& f) { read_compression(reader, f, traffic); });
  with("log", [&](const Field& f) { read_log(reader, f, traffic); });
  with("trusted_proxies", [&](const Field& f) {
    traffic.trusted_proxies = read_addresses(reader, f);
    if (traffic.trusted_proxies.empty() && !reader.is_broken(f.path)) {
      reader.report(f.path, "is empty", "leave it out to believe nobody");
    }
  });
  with("maintenance", [&](const Field& f) { traffic.maintenance = read_maintenance(reader, f); });
  read_text(reader, fields, "health", parse_http_path, traffic.health);
  return traffic;
}

}  // namespace paas::stack
