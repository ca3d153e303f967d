// An engine's networks and volumes.
#include "docker/call.hpp"
#include "docker/engine.hpp"

namespace paas::docker {

Result<std::string> Engine::create_network(const nlohmann::json& body) {
  PAAS_TRY(const auto value, fetch({.method = "POST", .path = "/networks/create", .json = body}));
  return text_of(member(value, "Id"));
}

Status Engine::remove_network(const std::string& name) {
  const auto removed = send({.method = "DELETE", .path = "/networks/" + encode_path(name)});
  if (removed || removed.error().kind == ErrorKind::not_found) return {};
  return fail(removed.error());
}

Status Engine::connect_network(const std::string& network, const std::string& container,
                               const std::string& address) {
  nlohmann::json body = {{"Container", container}};
  if (!address.empty()) body["EndpointConfig"]["IPAMConfig"]["IPv4Address"] = address;
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "POST",
                 .path = "/networks/" + encode_path(network) + "/connect",
                 .json = std::move(body)}));
  return {};
}

Status Engine::disconnect_network(const std::string& network, const std::string& container) {
  PAAS_TRY([[maybe_unused]] const auto response,
           send({.method = "POST",
                 .path = "/networks/" + encode_path(network) + "/disconnect",
                 .json = {{"Container", container}, {"Force", true}}}));
  return {};
}

Result<nlohmann::json> Engine::networks(const std::vector<std::string>& labels) {
  PAAS_TRY(auto list, fetch({.path = "/networks", .query = {{"filters", label_filter(labels)}}}));
  if (!list.is_array()) {
    return fail(explain(make_error(ErrorKind::failed, "the list of networks is not a list")));
  }
  return list;
}

Result<std::string> Engine::create_volume(const std::string& name,
                                          const std::map<std::string, std::string>& labels) {
  nlohmann::json body = {{"Labels", labels}};
  if (!name.empty()) body["Name"] = name;
  PAAS_TRY(const auto value,
           fetch({.method = "POST", .path = "/volumes/create", .json = std::move(body)}));
  return text_of(member(value, "Name"));
}

Status Engine::remove_volume(const std::string& name) {
  const auto removed = send({.method = "DELETE", .path = "/volumes/" + encode_path(name)});
  if (removed || removed.error().kind == ErrorKind::not_found) return {};
  return fail(removed.error());
}

Result<nlohmann::json> Engine::volumes(const std::vector<std::string>& labels) {
  PAAS_TRY(const auto value,
           fetch({.path = "/volumes", .query = {{"filters", label_filter(labels)}}}));
  const auto& list = member(value, "Volumes");
  // An engine without volumes may answer null.
  if (list.is_null() && value.is_object()) return nlohmann::json::array();
  if (!list.is_array()) {
    return fail(explain(make_error(ErrorKind::failed, "the list of volumes is not a list")));
  }
  return list;
}

}  // namespace paas::docker
