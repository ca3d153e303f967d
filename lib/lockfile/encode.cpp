// Writes the lockfile's values as JSON in a fixed order.
#include "base/text.hpp"
#include "lockfile/codec.hpp"
#include "lockfile/json.hpp"
#include "lockfile/json_reader.hpp"
#include "lockfile/passwords.hpp"
#include "stack/parse.hpp"

namespace paas::lockfile {
namespace {

/// Seals secrets, and leaves the sealed text of those alone that did not change: a run that changes
/// nothing writes nothing new, and a diff shows what changed.
class Sealer {
 public:
  Sealer(const std::string& lineage, const Key& key, Random& random, std::string_view previous)
      : lineage_(lineage),
        key_(key),
        random_(random),
        previous_(Json::parse(previous, nullptr, false)) {}

  /// "" for an empty secret.
  std::string operator()(const Secret& secret, const std::string& place) {
    if (secret.empty() || error) return {};
    const auto bound_to = seal_place(lineage_, place);
    if (auto kept = kept_text(secret, place, bound_to)) return std::move(*kept);
    auto sealed = seal(secret, bound_to, key_, random_);
    if (sealed) return std::move(*sealed);
    error = std::move(sealed.error());
    return {};
  }

  std::optional<Error> error;

 private:
  std::optional<std::string> kept_text(const Secret& secret, const std::string& place,
                                       const std::string& bound_to) const {
    const Json::json_pointer pointer(place);
    if (!previous_.is_object() || !previous_.contains(pointer)) return std::nullopt;
    const auto& before = previous_.at(pointer);
    if (!before.is_string()) return std::nullopt;
    const auto opened = unseal(before.get_ref<const std::string&>(), bound_to, key_);
    if (!opened || *opened != secret) return std::nullopt;
    return before.get<std::string>();
  }

  const std::string& lineage_;
  const Key& key_;
  Random& random_;
  Json previous_;
};

// Structured bindings name every member, so that a new one does not compile until it is stored.

Json encode_resource(const Resource& resource) {
  const auto& [name, id] = resource;
  return {{"name", name}, {"id", id}};
}

Json encode_resources(const std::map<std::string, Resource>& resources) {
  auto encoded = Json::object();
  for (const auto& [name, resource] : resources) encoded[name] = encode_resource(resource);
  return encoded;
}

Json encode_release(const Release& release) {
  const auto& [number, image_name, image_digest, environment_digest, created, definition, by, cause,
               containers_of, failed] = release;
  Json encoded = {{"number", number},
                  {"image_name", image_name},
                  {"image_digest", image_digest},
                  {"environment_digest", environment_digest},
                  {"created", created}};
  if (!by.empty()) encoded["by"] = by;
  if (!cause.empty()) encoded["cause"] = cause;
  if (containers_of != 0) encoded["containers_of"] = containers_of;
  if (failed) encoded["failed"] = failed;
  if (definition) encoded["definition"] = Json::parse(stack::to_json(*definition));
  return encoded;
}

Json encode_settled(const Settled& settled) {
  const auto& [release, newest, pinned, image] = settled;
  Json encoded = {{"release", release}, {"newest", newest}};
  if (pinned != 0) encoded["pinned"] = pinned;
  if (!image.empty()) encoded["image"] = image;
  return encoded;
}

Json encode_rotation(const PasswordRotation& rotation, const std::string& place, Sealer& sealed) {
  const auto& [state, password, user] = rotation;
  Json encoded = {{"state", to_text(state)},
                  {"password", sealed(password, place_of(place, "password"))}};
  if (!user.empty()) encoded["user"] = user;
  return encoded;
}

Json encode_service(const Service& service, const std::string& place, Sealer& sealed) {
  const auto& [count, next_number, slots, internal_port, releases, pinned, image, settled,
               hook_server, password, user, rotation, password_rotated] = service;
  Json encoded = {{"count", count}, {"next_number", next_number}};
  encoded["slots"] = slots;
  if (internal_port) encoded["internal_port"] = *internal_port;
  encoded["releases"] = Json::array();
  for (const auto& release : releases) encoded["releases"].push_back(encode_release(release));
  if (pinned != 0) encoded["pinned"] = pinned;
  if (!image.empty()) encoded["image"] = image;
  if (settled) encoded["settled"] = encode_settled(*settled);
  if (!hook_server.empty()) encoded["hook_server"] = hook_server;
  encoded["password"] = sealed(password, place_of(place, "password"));
  if (!user.empty()) encoded["user"] = user;
  if (rotation) {
    encoded["rotation"] = encode_rotation(*rotation, place_of(place, "rotation"), sealed);
  }
  if (!password_rotated.empty()) encoded["password_rotated"] = password_rotated;
  return encoded;
}

Json encode_server(const Server& server, const std::string& place, Sealer& sealed) {
  const auto& [service, number, droplet, public_address, private_address, host_key, first_host_key,
               size, region, image, prepared, release, slot, previous, weight, leaving, holds_data,
               warm, firewalled, created] = server;
  Json encoded = {{"service", service},
                  {"number", number},
                  {"droplet", encode_resource(droplet)},
                  {"public_address", public_address},
                  {"private_address", private_address},
                  {"host_key", host_key},
                  {"first_host_key", sealed(first_host_key, place_of(place, "first_host_key"))},
                  {"size", size},
                  {"region", region},
                  {"image", image},
                  {"prepared", prepared},
                  {"release", release},
                  {"slot", slot},
                  {"previous", previous},
                  {"leaving", leaving},
                  {"holds_data", holds_data},
                  {"created", created}};
  if (weight) encoded["weight"] = *weight;
  if (warm) encoded["warm"] = true;
  if (firewalled) encoded["firewalled"] = true;
  return encoded;
}

Json encode_volume(const Volume& value) {
  const auto& [volume, service, size_gigabytes, region] = value;
  return {{"volume", encode_resource(volume)},
          {"service", service},
          {"size_gigabytes", size_gigabytes},
          {"region", region}};
}

Json encode_load_balancer(const LoadBalancer& lb) {
  const auto& [reserved_ip, reloads, intended_for, certificates, maintenance] = lb;
  Json encoded = {
      {"reserved_ip", reserved_ip}, {"reloads", reloads}, {"intended_for", intended_for}};
  if (!certificates.empty()) encoded["certificates"] = certificates;
  if (maintenance) encoded["maintenance"] = true;
  return encoded;
}

Json encode_authority(const Authority& authority, Sealer& sealed) {
  const auto& [certificate, key] = authority;
  // Its text has lines, which no value of a lockfile has.
  return {{"certificate", text::base64_encode(certificate)},
          {"key", sealed(key, "/authority/key")}};
}

Json encode_ssh_key(const SshKey& ssh_key, Sealer& sealed) {
  const auto& [key, private_key, public_key] = ssh_key;
  return {{"key", encode_resource(key)},
          {"private_key", sealed(private_key, "/ssh_key/private_key")},
          {"public_key", public_key}};
}

Json encode_all(const Lockfile& lockfile, Sealer& sealed) {
  const auto& [version, lineage, serial, paasctl_version, applied, cloud_url, cloud_account,
               ssh_key, vpc, vpc_range, firewalls, services, servers, volumes, lb, authority,
               temporary] = lockfile;
  Json encoded = {{"version", version},     {"lineage", lineage},
                  {"serial", serial},       {"paasctl_version", paasctl_version},
                  {"cloud_url", cloud_url}, {"cloud_account", cloud_account}};
  if (ssh_key) encoded["ssh_key"] = encode_ssh_key(*ssh_key, sealed);
  if (vpc) encoded["vpc"] = encode_resource(*vpc);
  encoded["vpc_range"] = vpc_range;
  encoded["firewalls"] = encode_resources(firewalls);
  encoded["services"] = Json::object();
  for (const auto& [name, service] : services) {
    encoded["services"][name] = encode_service(service, place_of("/services", name), sealed);
  }
  encoded["servers"] = Json::object();
  for (const auto& [name, server] : servers) {
    encoded["servers"][name] = encode_server(server, place_of("/servers", name), sealed);
  }
  encoded["volumes"] = Json::object();
  for (const auto& [name, volume] : volumes) encoded["volumes"][name] = encode_volume(volume);
  if (lb) encoded["lb"] = encode_load_balancer(*lb);
  if (authority) encoded["authority"] = encode_authority(*authority, sealed);
  encoded["temporary"] = encode_resources(temporary);
  if (applied) {
    encoded["applied"] = Json::parse(stack::to_json(*applied));
  }
  return encoded;
}

}  // namespace

Result<std::string> encode(const Lockfile& lockfile, const Key& key, Random& random,
                           std::string_view previous) {
  Sealer sealer(lockfile.lineage, key, random, previous);
  try {
    const auto encoded = encode_all(lockfile, sealer);
    if (sealer.error) return fail(std::move(*sealer.error));
    return encoded.dump(2) + "\n";
  } catch (const Json::exception& exception) {
    // A text that is not UTF-8 has no place in JSON.
    return fail(ErrorKind::invalid,
                std::string("the lockfile cannot be written as JSON: ") + exception.what());
  }
}

}  // namespace paas::lockfile
