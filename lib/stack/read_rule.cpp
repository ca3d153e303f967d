// Reads one rule of the load balancer.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stack/read_stack.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

void read_methods(Reader& reader, const Field& field, Rule& rule) {
  const auto items = reader.items(field);
  if (items.empty() && !reader.is_broken(field.path)) {
    reader.report(field.path, "is empty", "leave it out to match all methods");
  }
  for (const auto& item : items) {
    auto method = reader.value(item, parse_method);
    if (!method) continue;
    auto& methods = rule.methods;
    if (std::find(methods.begin(), methods.end(), *method) != methods.end()) {
      reader.report(item.path, fmt::format("{} stands here a second time", *method), "remove it");
    } else {
      methods.push_back(std::move(*method));
    }
  }
  constexpr std::size_t limit = 20;
  if (rule.methods.size() > limit) {
    reader.report(field.path, fmt::format("has more than {} methods", limit));
  }
}

void read_headers(Reader& reader, const Field& field, Rule& rule) {
  const auto headers = reader.entries(field);
  if (headers.empty() && !reader.is_broken(field.path)) {
    reader.report(field.path, "is empty", "leave it out to look at no header");
  }
  for (const auto& [written, header] : headers) {
    const auto name = reader.accept(header, parse_header_name(written));
    if (!name) continue;
    auto value = reader.value(header, parse_header_value);
    if (!value) continue;
    if (!rule.headers.emplace(*name, std::move(*value)).second) {
      reader.report(header.path, fmt::format("the header {} stands here a second time", *name),
                    "names of headers are compared without regard to case; remove one");
    }
  }
  constexpr std::size_t limit = 20;
  if (rule.headers.size() > limit) {
    reader.report(field.path, fmt::format("has more than {} headers", limit));
  }
}

constexpr int weight_limit = 1000;

void read_shares(Reader& reader, const Field& field, Rule& rule) {
  for (const auto& [name, share] : reader.entries(field)) {
    if (const auto weight = reader.integer(share, 0, weight_limit)) {
      rule.split.push_back({name, *weight});
    }
  }
  if (reader.is_broken(field.path)) return;
  if (targets_of(rule).empty()) {
    reader.report(field.path, "no service has a weight above 0", "such as {blue: 90, green: 10}");
  }
}

void read_target(Reader& reader, const Field& field, Rule& rule) {
  if (field.node->kind == yaml::Kind::map) return read_shares(reader, field, rule);
  if (field.node->kind == yaml::Kind::sequence) {
    reader.report(field.path, "must be a service, or weights such as {blue: 90, green: 10}");
    return;
  }
  rule.to = reader.value(field, parse_plain_text).value_or("");
}

Redirect read_redirect(Reader& reader, const Field& field) {
  Redirect redirect;
  if (field.node->kind == yaml::Kind::scalar) {
    reader.report(field.path, "must be a map, not text",
                  fmt::format("write {{to: {}}}", show_value(field.node->value)));
    return redirect;
  }
  const auto fields = reader.fields(field, {"to", "code"});
  read_text(reader, fields, "to", parse_redirect_target, redirect.to);
  if (fields.find("to") == fields.end()) {
    reader.missing(field, "to", "such as {to: \"https://www.example.com\"}");
  }
  if (const auto code = fields.find("code"); code != fields.end()) {
    const auto number = reader.integer(code->second, 0, 999);
    constexpr std::array codes = {301, 302, 303, 307, 308};
    if (!number) return redirect;
    redirect.code = *number;
    if (std::find(codes.begin(), codes.end(), *number) == codes.end()) {
      reader.report(code->second.path, fmt::format("{} is no redirect", *number),
                    "for good: 301, or 308 which keeps the method; for now: 302, or 307 which "
                    "keeps it, or 303 which makes it GET");
    }
  }
  return redirect;
}

void check_parts(Reader& reader, const Field& field, const Fields& fields) {
  const auto has = [&](std::string_view key) { return fields.find(key) != fields.end(); };
  if (has("path") && has("exact")) {
    reader.report(field.path, "has both path and exact",
                  "path is a prefix, exact the whole path; keep one");
  }
  if (has("to") && has("redirect")) {
    reader.report(field.path, "has both to and redirect", "keep one of the two");
  } else if (!has("to") && !has("redirect")) {
    reader.missing(field, "to",
                   "name the service that gets what matches, such as {path: /api/, to: web}");
  }
}

}  // namespace

Rule read_rule(Reader& reader, const Field& field) {
  Rule rule;
  const auto fields = reader.fields(
      field, {"host", "path", "exact", "methods", "headers", "to", "redirect", "limit"});
  const auto with = [&](std::string_view key, auto&& read) {
    if (const auto found = fields.find(key); found != fields.end()) read(found->second);
  };
  read_text(reader, fields, "host", parse_rule_host, rule.host);
  read_text(reader, fields, "path", parse_http_path, rule.path);
  read_text(reader, fields, "exact", parse_http_path, rule.exact);
  with("methods", [&](const Field& f) { read_methods(reader, f, rule); });
  with("headers", [&](const Field& f) { read_headers(reader, f, rule); });
  with("to", [&](const Field& f) { read_target(reader, f, rule); });
  with("redirect", [&](const Field& f) { rule.redirect = read_redirect(reader, f); });
  with("limit", [&](const Field& f) { rule.limit = read_limit(reader, f); });
  if (field.node->kind == yaml::Kind::map) check_parts(reader, field, fields);
  return rule;
}

}  // namespace paas::stack
