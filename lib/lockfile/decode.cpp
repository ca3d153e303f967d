// Reads a lockfile's text back into values, and refuses what it does not understand.
#include <fmt/format.h>

#include "base/text.hpp"
#include "lockfile/codec.hpp"
#include "lockfile/json.hpp"
#include "lockfile/json_reader.hpp"
#include "lockfile/names.hpp"
#include "lockfile/passwords.hpp"
#include "lockfile/resources.hpp"
#include "stack/parse.hpp"

namespace paas::lockfile {
namespace {

constexpr int version_known = 1;
/// More than the applied stack's values nest.
constexpr std::size_t nesting_max = 64;

Resource decode_resource(JsonReader reader) {
  Resource resource;
  resource.name = reader.word("name");
  resource.id = reader.word("id");
  reader.finish();
  return resource;
}

/// A droplet or a key.
Resource decode_numbered(JsonReader reader) {
  Resource resource;
  resource.name = reader.word("name");
  resource.id = reader.number_id("id");
  reader.finish();
  return resource;
}

std::map<std::string, Resource> decode_resources(JsonReader& parent, const char* name,
                                                 Resource (*decode_one)(JsonReader)) {
  std::map<std::string, Resource> resources;
  parent.each(name, [&](const std::string& key, JsonReader reader) {
    resources[key] = decode_one(std::move(reader));
  });
  return resources;
}

Release decode_release(JsonReader reader) {
  Release release;
  release.number = reader.small("number");
  release.image_name = reader.word("image_name");
  release.image_digest = reader.word("image_digest");
  release.environment_digest = reader.word("environment_digest");
  release.created = reader.word("created");
  if (reader.has("by")) release.by = reader.text("by");
  if (reader.has("cause")) release.cause = reader.text("cause");
  if (reader.has("containers_of")) release.containers_of = reader.small("containers_of", 1);
  if (reader.has("failed")) release.failed = reader.flag("failed");
  if (reader.has("definition")) {
    auto definition = stack::parse_definition(reader.raw("definition"));
    if (definition) release.definition = std::move(*definition);
    if (!definition) reader.refuse("definition", definition.error());
  }
  reader.finish();
  return release;
}

Settled decode_settled(JsonReader reader) {
  Settled settled;
  settled.release = reader.small("release", 1);
  settled.newest = reader.small("newest", 1);
  if (reader.has("pinned")) settled.pinned = reader.small("pinned", 1);
  if (reader.has("image")) settled.image = reader.word("image");
  reader.finish();
  return settled;
}

PasswordRotation decode_rotation(JsonReader reader) {
  PasswordRotation rotation;
  constexpr RotationState states[] = {RotationState::pending, RotationState::set,
                                      RotationState::pushed};
  std::vector<std::string> words;
  for (const auto state : states) words.push_back(to_text(state));
  rotation.state = states[reader.choice("state", words)];
  rotation.password = reader.secret("password");
  if (reader.has("user")) rotation.user = reader.word("user");
  reader.finish();
  return rotation;
}

Service decode_service(JsonReader reader) {
  Service service;
  service.count = reader.small("count");
  service.next_number = reader.small("next_number", 1);
  service.slots = reader.small_list("slots");
  if (reader.has("internal_port")) service.internal_port = reader.small("internal_port");
  reader.each_item("releases", [&](JsonReader item) {
    service.releases.push_back(decode_release(std::move(item)));
  });
  if (reader.has("pinned")) service.pinned = reader.small("pinned", 1);
  if (reader.has("image")) service.image = reader.word("image");
  if (reader.has("settled")) service.settled = decode_settled(reader.object("settled"));
  if (reader.has("hook_server")) service.hook_server = reader.word("hook_server");
  service.password = reader.secret("password");
  if (reader.has("user")) service.user = reader.word("user");
  if (reader.has("rotation")) service.rotation = decode_rotation(reader.object("rotation"));
  if (reader.has("password_rotated")) service.password_rotated = reader.word("password_rotated");
  // What `state rebuild` wrote before there were rotations: the data has a password that is lost.
  if (reader.has("password_pending") && reader.flag("password_pending")) {
    service.rotation = PasswordRotation{RotationState::pending, std::move(service.password), ""};
    service.password = Secret();
  }
  reader.finish();
  return service;
}

Server decode_server(JsonReader reader) {
  Server server;
  server.service = reader.word("service");
  server.number = reader.small("number");
  server.droplet = decode_numbered(reader.object("droplet"));
  server.public_address = reader.word("public_address");
  server.private_address = reader.word("private_address");
  server.host_key = reader.text("host_key");
  server.first_host_key = reader.secret("first_host_key");
  server.size = reader.word("size");
  server.region = reader.word("region");
  server.image = reader.word("image");
  server.prepared = reader.flag("prepared");
  server.release = reader.small("release");
  server.slot = reader.small("slot");
  if (reader.has("previous")) server.previous = reader.small("previous");
  if (reader.has("weight")) {
    server.weight = reader.small("weight");
    if (*server.weight > 256) {
      reader.refuse("weight", make_error(ErrorKind::invalid, "a weight is from 0 to 256"));
    }
  }
  server.leaving = reader.flag("leaving");
  if (reader.has("holds_data")) server.holds_data = reader.flag("holds_data");
  if (reader.has("warm")) server.warm = reader.flag("warm");
  if (reader.has("firewalled")) server.firewalled = reader.flag("firewalled");
  server.created = reader.word("created");
  reader.finish();
  return server;
}

Volume decode_volume(JsonReader reader) {
  Volume volume;
  volume.volume = decode_resource(reader.object("volume"));
  volume.service = reader.word("service");
  volume.size_gigabytes = reader.small("size_gigabytes");
  volume.region = reader.word("region");
  reader.finish();
  return volume;
}

SshKey decode_ssh_key(JsonReader reader) {
  SshKey ssh_key;
  ssh_key.key = decode_numbered(reader.object("key"));
  ssh_key.private_key = reader.secret("private_key");
  ssh_key.public_key = reader.text("public_key");
  reader.finish();
  return ssh_key;
}

LoadBalancer decode_load_balancer(JsonReader reader) {
  LoadBalancer lb;
  lb.reserved_ip = reader.word("reserved_ip");
  lb.reloads = reader.small("reloads");
  if (reader.has("intended_for")) lb.intended_for = reader.number_id("intended_for");
  if (reader.has("certificates")) lb.certificates = reader.words("certificates");
  if (reader.has("maintenance")) lb.maintenance = reader.flag("maintenance");
  reader.finish();
  return lb;
}

Authority decode_authority(JsonReader reader) {
  Authority authority;
  authority.certificate = text::base64_decode(reader.text("certificate")).value_or("");
  authority.key = reader.secret("key");
  reader.finish();
  return authority;
}

/// What stands for the fact in lockfiles of before it was written down: a container of a database
/// that had no volume when it was applied.
bool held_data(const Lockfile& lockfile, const Server& server) {
  if (!lockfile.applied || server.release == 0) return false;
  const auto* service = stack::find_service(*lockfile.applied, server.service);
  if (service == nullptr || service->type != stack::ServiceType::db) return false;
  const bool is_on_volume = service->volume && lockfile.volumes.contains(volume_name(
                                                   lockfile.applied->name, service->name));
  return !is_on_volume;
}

Lockfile decode_all(JsonReader reader, Reading& reading) {
  Lockfile lockfile;
  lockfile.version = reader.small("version");
  lockfile.lineage = reader.word("lineage");
  lockfile.serial = reader.integer("serial", 0);
  lockfile.paasctl_version = reader.word("paasctl_version");
  lockfile.cloud_url = reader.text("cloud_url");
  if (reader.has("cloud_account")) lockfile.cloud_account = reader.text("cloud_account");
  if (reader.has("ssh_key")) lockfile.ssh_key = decode_ssh_key(reader.object("ssh_key"));
  if (reader.has("vpc")) lockfile.vpc = decode_resource(reader.object("vpc"));
  lockfile.vpc_range = reader.word("vpc_range");
  lockfile.firewalls = decode_resources(reader, "firewalls", decode_resource);
  reader.each("services", [&](const std::string& name, JsonReader item) {
    lockfile.services[name] = decode_service(std::move(item));
  });
  std::vector<std::string> untold;  // Servers of which it does not say whether they hold data.
  reader.each("servers", [&](const std::string& name, JsonReader item) {
    if (!item.has("holds_data")) untold.push_back(name);
    lockfile.servers[name] = decode_server(std::move(item));
  });
  reader.each("volumes", [&](const std::string& name, JsonReader item) {
    lockfile.volumes[name] = decode_volume(std::move(item));
  });
  bool is_intent_untold = false;  // Of a reserved IP.
  if (reader.has("lb")) {
    auto item = reader.object("lb");
    is_intent_untold = !item.has("intended_for");
    lockfile.lb = decode_load_balancer(std::move(item));
  }
  if (reader.has("authority")) lockfile.authority = decode_authority(reader.object("authority"));
  lockfile.temporary = decode_resources(reader, "temporary", decode_numbered);
  if (reader.has("applied") && !reading.error) {
    auto applied = stack::parse_or_fail(reader.raw("applied"), "the lockfile's applied stack");
    if (applied) lockfile.applied = std::move(*applied);
    if (!applied) reading.error = std::move(applied.error());
  }
  for (const auto& name : untold) {
    auto& server = lockfile.servers.at(name);
    server.holds_data = held_data(lockfile, server);
  }
  // Before that was written down, what an interrupted run reserved was found by the droplet alone.
  if (is_intent_untold && lockfile.lb->reserved_ip.empty()) {
    lockfile.lb->intended_for = droplet_of_address(lockfile);
  }
  reader.finish();
  return lockfile;
}

tl::unexpected<Error> not_a_lockfile(const std::string& why) {
  return fail(ErrorKind::invalid, "this is not a lockfile: " + why,
              "restore it from its .backup file or from version control");
}

/// Keeps what stands in the outermost object itself, so that no tree of all servers is made.
bool is_head(int depth, Json::parse_event_t event, Json&) {
  return depth == 0 ||
         (event != Json::parse_event_t::object_start && event != Json::parse_event_t::array_start);
}

/// The parts that must be known before anything else is believed.
Result<Json> parse_head(std::string_view text, const Json::parser_callback_t& keeps = nullptr) {
  if (text::nesting(text) > nesting_max) return not_a_lockfile("it is nested too deep");
  auto json = Json::parse(text, keeps, false);
  if (json.is_discarded()) return not_a_lockfile("it is not JSON, or was cut short");
  if (!json.is_object()) return not_a_lockfile("it is not a JSON object");
  const auto version = json.find("version");
  if (version == json.end() || !version->is_number_integer()) {
    return not_a_lockfile("/version is missing or is not a whole number");
  }
  if (*version > version_known) {
    const auto writer = json.find("paasctl_version");
    const auto name = writer != json.end() && writer->is_string()
                          ? "paasctl " + writer->get<std::string>()
                          : std::string("a newer paasctl");
    return fail(ErrorKind::invalid,
                fmt::format("the lockfile's version is {} and this paasctl reads {}",
                            version->dump(), version_known),
                "use " + name + ", which wrote it");
  }
  if (*version < 1) return not_a_lockfile("/version is less than 1");
  return json;
}

Result<std::string> lineage_in(const Json& json) {
  const auto lineage = json.find("lineage");
  if (lineage == json.end() || !lineage->is_string()) {
    return not_a_lockfile("/lineage is missing or is not a text");
  }
  auto text = lineage->get<std::string>();
  if (!is_lineage(text)) return not_a_lockfile("/lineage is not made of letters and digits");
  return text;
}

}  // namespace

Result<Lockfile> decode(std::string_view text, const Key& key) {
  PAAS_TRY(const auto json, parse_head(text));
  PAAS_TRY(auto lineage, lineage_in(json));
  Reading reading{std::move(lineage), key, std::nullopt};
  auto lockfile = decode_all(JsonReader(json, "", reading), reading);
  if (reading.error) return fail(std::move(*reading.error));
  return lockfile;
}

std::vector<std::string> server_names(std::string_view text) {
  std::vector<std::string> names;
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("servers")) return names;
  for (const auto& [name, server] : document["servers"].items()) names.push_back(name);
  return names;
}

Result<std::string> lineage_of(std::string_view text) {
  PAAS_TRY(const auto json, parse_head(text, is_head));
  return lineage_in(json);
}

}  // namespace paas::lockfile
