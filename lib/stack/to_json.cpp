// Writes a stack as JSON that parse() reads back to an equal value.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "stack/definition.hpp"
#include "stack/parse.hpp"

namespace paas::stack {

namespace {

using Json = nlohmann::ordered_json;

Json from_variables(const std::map<std::string, std::string>& variables) {
  auto result = Json::object();
  for (const auto& [name, value] : variables) result[name] = value;
  return result;
}

/// Keys that parse() refuses when they are empty are left out then.
void put(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

void put(Json& object, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) object[key] = values;
}

Json from_secret(const SecretSource& secret) {
  auto result = Json::object();
  put(result, "env", secret.env);
  put(result, "file", secret.file);
  return result;
}

Json from_image(const ImageSource& image) {
  auto result = Json::object();
  put(result, "build", image.context);
  put(result, "dockerfile", image.dockerfile);
  put(result, "target", image.target);
  if (!image.args.empty()) result["args"] = from_variables(image.args);
  put(result, "platform", image.platform);
  for (const auto& [id, secret] : image.secrets) result["secrets"][id] = from_secret(secret);
  put(result, "pull", image.pull);
  return result;
}

Json from_health(const Health& health) {
  auto result = Json::object();
  put(result, "path", health.path);
  result["interval"] = fmt::format("{}ms", health.interval_ms);
  result["timeout"] = fmt::format("{}ms", health.timeout_ms);
  result["start_timeout"] = fmt::format("{}s", health.start_timeout_seconds);
  return result;
}

Json from_scale(const Scale& scale) {
  auto target = Json::object();
  for (const auto& [name, value] : scale.target) target[name] = value;
  return {{"min", scale.min}, {"max", scale.max}, {"target", target}, {"warm", scale.warm}};
}

Json from_links(const std::vector<Link>& links) {
  auto result = Json::array();
  for (const auto& link : links) {
    auto& item = result.emplace_back(Json::object());
    item["to"] = link.to;
    item["env"] = from_variables(link.env);
  }
  return result;
}

Json from_credentials(const Credentials& credentials) {
  auto result = Json::object();
  if (credentials.other_user.empty()) {
    put(result, "user", credentials.user);
  } else {
    result["user"] = {credentials.user, credentials.other_user};
  }
  put(result, "database", credentials.database);
  result["env"] = from_variables(credentials.env);
  result["set"] = credentials.set;
  if (!credentials.retire.empty()) result["retire"] = credentials.retire;
  return result;
}

Json from_outbound(const std::vector<Outbound>& openings) {
  auto result = Json::array();
  for (const auto& opening : openings) {
    auto& item = result.emplace_back(Json::object());
    item["protocol"] = opening.protocol;
    put(item, "ports", opening.ports);
    item["to"] = opening.to;
  }
  return result;
}

Json from_sticky(const Sticky& sticky) {
  auto result = Json::object();
  switch (sticky.by) {
    case Sticky::By::source:
      result["by"] = "source";
      break;
    case Sticky::By::cookie:
      result["cookie"] = sticky.name;
      break;
    case Sticky::By::header:
      result["header"] = sticky.name;
      break;
  }
  result["keep"] = fmt::format("{}s", sticky.keep_seconds);
  return result;
}

Json from_service(const Service& service) {
  auto result = Json::object();
  result["type"] = to_text(service.type);
  result["image"] = service.image;
  if (service.port) result["port"] = *service.port;
  put(result, "scheme", service.scheme);
  put(result, "size", service.size);
  result["command"] = service.command;
  result["env"] = from_variables(service.env);
  result["health"] = from_health(service.health);
  result["scale"] = from_scale(service.scale);
  result["links"] = from_links(service.links);
  if (service.volume) {
    result["volume"] = {{"size", fmt::format("{}GiB", service.volume->size_gigabytes)},
                        {"mount", service.volume->mount}};
  }
  if (service.credentials) result["credentials"] = from_credentials(*service.credentials);
  put(result, "allow", service.allow);
  if (service.sticky) result["sticky"] = from_sticky(*service.sticky);
  if (service.answer_timeout_ms) {
    result["answer_timeout"] = fmt::format("{}ms", *service.answer_timeout_ms);
  }
  if (service.max_connections) result["max_connections"] = *service.max_connections;
  if (service.outbound) result["outbound"] = from_outbound(*service.outbound);
  return result;
}

Json from_tls(const Tls& tls) {
  auto result = Json::object();
  result["listen"] = tls.listen;
  if (!tls.certificates.empty()) result["certificates"] = Json::array();
  for (const auto& files : tls.certificates) {
    auto& item = result["certificates"].emplace_back(Json::object());
    item["certificate"] = files.certificate;
    item["key"] = files.key;
    put(item, "hosts", files.hosts);
  }
  if (tls.acme) {
    auto& acme = result["acme"] = Json::object();
    put(acme, "email", tls.acme->email);
    acme["hosts"] = tls.acme->hosts;
    put(acme, "directory", tls.acme->directory);
  }
  result["redirect"] = tls.redirect;
  if (tls.hsts) {
    result["hsts"] = {{"max_age", fmt::format("{}s", tls.hsts->max_age_seconds)},
                      {"subdomains", tls.hsts->subdomains},
                      {"preload", tls.hsts->preload}};
  }
  return result;
}

Json from_limit(const Limit& limit) {
  auto result = Json::object();
  if (limit.requests) {
    result["requests"] =
        fmt::format("{}/{}s", limit.requests->requests, limit.requests->period_seconds);
  }
  if (limit.body_bytes) result["body"] = fmt::format("{}KiB", *limit.body_bytes / 1024);
  return result;
}

/// Only what differs from the defaults.
Json from_timeouts(const Timeouts& timeouts) {
  const Timeouts usual;
  auto result = Json::object();
  const auto put_time = [&](const char* key, int Timeouts::*value) {
    if (timeouts.*value != usual.*value) result[key] = fmt::format("{}ms", timeouts.*value);
  };
  put_time("connect", &Timeouts::connect_ms);
  put_time("client", &Timeouts::client_ms);
  put_time("server", &Timeouts::server_ms);
  put_time("request", &Timeouts::request_ms);
  put_time("keep_alive", &Timeouts::keep_alive_ms);
  put_time("queue", &Timeouts::queue_ms);
  put_time("tunnel", &Timeouts::tunnel_ms);
  return result;
}

void put_traffic(Json& object, const Traffic& traffic) {
  if (traffic.limit != Limit{}) object["limit"] = from_limit(traffic.limit);
  if (traffic.timeouts != Timeouts{}) object["timeouts"] = from_timeouts(traffic.timeouts);
  put(object, "compression", traffic.compression);
  put(object, "health", traffic.health);
  if (traffic.log == AccessLog::text) object["log"] = true;
  if (traffic.log == AccessLog::json) object["log"] = "json";
  put(object, "trusted_proxies", traffic.trusted_proxies);
  if (traffic.maintenance != MaintenancePage{}) {
    auto& page = object["maintenance"] = Json::object();
    put(page, "page", traffic.maintenance.file);
    put(page, "html", traffic.maintenance.html);
  }
}

Json from_rule(const Rule& rule) {
  auto result = Json::object();
  put(result, "host", rule.host);
  put(result, "path", rule.path);
  put(result, "exact", rule.exact);
  put(result, "methods", rule.methods);
  if (!rule.headers.empty()) result["headers"] = from_variables(rule.headers);
  put(result, "to", rule.to);
  for (const auto& share : rule.split) result["to"][share.service] = share.weight;
  if (rule.limit != Limit{}) result["limit"] = from_limit(rule.limit);
  if (rule.redirect) {
    result["redirect"] = {{"to", rule.redirect->to}, {"code", rule.redirect->code}};
  }
  return result;
}

Json from_load_balancer(const LoadBalancer& lb) {
  auto result = Json::object();
  result["listen"] = lb.listen;
  if (lb.tls) result["tls"] = from_tls(*lb.tls);
  auto& rules = result["rules"] = Json::array();
  for (const auto& rule : lb.rules) rules.push_back(from_rule(rule));
  put(result, "size", lb.size);
  put(result, "allow", lb.allow);
  put_traffic(result, lb.traffic);
  return result;
}

/// Text that is not UTF-8 cannot come out of parse(); replacing it keeps the dump from throwing.
std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const Stack& stack) {
  auto result = Json::object();
  result["stack"] = stack.name;
  result["cloud"] = to_text(stack.cloud);
  put(result, "region", stack.region);
  result["size"] = stack.size;
  result["base_image"] = stack.base_image;
  result["ssh"]["from"] = stack.ssh_from;
  auto& images = result["images"] = Json::object();
  for (const auto& [name, image] : stack.images) images[name] = from_image(image);
  if (stack.machine_images_kept) result["machine_images"]["keep"] = *stack.machine_images_kept;
  if (stack.pre_release_timeout_ms != Stack().pre_release_timeout_ms) {
    result["timeouts"]["pre_release"] = fmt::format("{}ms", stack.pre_release_timeout_ms);
  }
  for (const auto& [host, registry] : stack.registries) {
    result["registries"][host] = {{"username", registry.username},
                                  {"password", from_secret(registry.password)}};
  }
  auto& services = result["services"] = Json::object();
  for (const auto& service : stack.services) services[service.name] = from_service(service);
  if (stack.lb) result["lb"] = from_load_balancer(*stack.lb);
  return dumped(result);
}

std::string to_json(const Definition& definition) {
  auto result = Json::object();
  result["name"] = definition.service.name;
  result["service"] = from_service(definition.service);
  result["image"] = from_image(definition.image);
  auto& rules = result["rules"] = Json::array();
  for (const auto& placed : definition.rules) {
    auto& item = rules.emplace_back(Json::object());
    item["rule"] = from_rule(placed.rule);
    if (placed.before) item["before"] = from_rule(*placed.before);
  }
  return dumped(result);
}

}  // namespace paas::stack
