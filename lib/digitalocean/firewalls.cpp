// Operations on firewalls.
#include <fmt/format.h>

#include "digitalocean/client.hpp"
#include "digitalocean/encode.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {
namespace {

std::string path_of(const std::string& firewall) { return "/v2/firewalls/" + escaped(firewall); }

}  // namespace

Result<std::vector<Firewall>> Client::firewalls() {
  return doing(list_of(*transport_, {"/v2/firewalls", "", "firewalls", "id"}, decode_firewall),
               "listing firewalls");
}

Result<Firewall> Client::firewall(const std::string& id) {
  PAAS_CHECK(check_given(id, "firewall identifier"));
  return doing(send_for(*transport_, {"GET", path_of(id), {}}, "firewall", decode_firewall),
               "reading firewall " + id);
}

Result<std::vector<Firewall>> Client::firewalls_of_droplet(std::int64_t id) {
  return doing(
      list_of(*transport_, {fmt::format("/v2/droplets/{}/firewalls", id), "", "firewalls", "id"},
              decode_firewall),
      fmt::format("listing the firewalls of droplet {}", id));
}

Result<Firewall> Client::create_firewall(const FirewallSpec& spec) {
  PAAS_TRY(auto body, encode_firewall(spec));
  const Call call{"POST", "/v2/firewalls", std::move(body)};
  return doing(send_for(*transport_, call, "firewall", decode_firewall),
               "creating firewall " + spec.name);
}

Result<Firewall> Client::update_firewall(const std::string& id, const FirewallSpec& spec) {
  PAAS_CHECK(check_given(id, "firewall identifier"));
  PAAS_TRY(auto body, encode_firewall(spec));
  const Call call{"PUT", path_of(id), std::move(body)};
  return doing(send_for(*transport_, call, "firewall", decode_firewall),
               "updating firewall " + spec.name);
}

Status Client::delete_firewall(const std::string& id) {
  PAAS_CHECK(check_given(id, "firewall identifier"));
  return doing(send_deletion(*transport_, path_of(id)), "deleting firewall " + id);
}

}  // namespace paas::digitalocean
