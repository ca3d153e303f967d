// Operations on VPCs and reserved addresses.
#include <fmt/format.h>

#include "digitalocean/client.hpp"
#include "digitalocean/errors.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {
namespace {

std::string path_of(const std::string& ip) { return "/v2/reserved_ips/" + escaped(ip); }

Result<Action> act(Transport& transport, const std::string& ip, nlohmann::json body,
                   const std::string& what) {
  PAAS_CHECK(check_given(ip, "reserved IP"));
  const Call call{"POST", path_of(ip) + "/actions", std::move(body)};
  return doing(send_for(transport, call, "action", decode_action), what);
}

}  // namespace

Result<std::vector<Vpc>> Client::vpcs() {
  return doing(list_of(*transport_, {"/v2/vpcs", "", "vpcs", "id"}, decode_vpc), "listing VPCs");
}

Result<Vpc> Client::create_vpc(const std::string& name, const std::string& region) {
  const Call call{"POST", "/v2/vpcs", {{"name", name}, {"region", region}}};
  return doing(send_for(*transport_, call, "vpc", decode_vpc), "creating VPC " + name);
}

Status Client::delete_vpc(const std::string& id) {
  PAAS_CHECK(check_given(id, "VPC identifier"));
  const auto deleted = send_deletion(*transport_, "/v2/vpcs/" + escaped(id));
  if (deleted) return {};
  return fail(vpc_deletion_error(deleted.error()), "deleting VPC " + id);
}

Result<std::vector<ReservedIp>> Client::reserved_ips() {
  return doing(
      list_of(*transport_, {"/v2/reserved_ips", "", "reserved_ips", "ip"}, decode_reserved_ip),
      "listing reserved IPs");
}

Result<ReservedIp> Client::reserved_ip(const std::string& ip) {
  PAAS_CHECK(check_given(ip, "reserved IP"));
  return doing(send_for(*transport_, {"GET", path_of(ip), {}}, "reserved_ip", decode_reserved_ip),
               "reading reserved IP " + ip);
}

Result<ReservedIp> Client::create_reserved_ip(std::int64_t droplet) {
  const Call call{"POST", "/v2/reserved_ips", {{"droplet_id", droplet}}};
  return doing(send_for(*transport_, call, "reserved_ip", decode_reserved_ip),
               fmt::format("creating a reserved IP for droplet {}", droplet));
}

Result<Action> Client::assign_reserved_ip(const std::string& ip, std::int64_t droplet) {
  return act(*transport_, ip, {{"type", "assign"}, {"droplet_id", droplet}},
             fmt::format("assigning reserved IP {} to droplet {}", ip, droplet));
}

Result<Action> Client::unassign_reserved_ip(const std::string& ip) {
  return act(*transport_, ip, {{"type", "unassign"}},
             fmt::format("taking reserved IP {} from its droplet", ip));
}

Status Client::delete_reserved_ip(const std::string& ip) {
  PAAS_CHECK(check_given(ip, "reserved IP"));
  return doing(send_deletion(*transport_, path_of(ip)), "deleting reserved IP " + ip);
}

}  // namespace paas::digitalocean
