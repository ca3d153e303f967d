// The client's life, and the operations on the account: limits, regions, sizes, SSH keys.
#include "digitalocean/client.hpp"

#include <fmt/format.h>

#include "digitalocean/operations.hpp"

namespace paas::digitalocean {

Client::Client(Http& http, Clock& clock, ClientSettings settings)
    : transport_(std::make_unique<Transport>(http, clock, std::move(settings))) {}

Client::~Client() = default;

const std::string& Client::url() const { return transport_->url(); }

Result<Account> Client::account() {
  return doing(send_for(*transport_, {"GET", "/v2/account", {}}, "account", decode_account),
               "reading the account");
}

Result<std::vector<Region>> Client::regions() {
  return doing(list_of(*transport_, {"/v2/regions", "", "regions", "slug"}, decode_region),
               "listing regions");
}

Result<std::vector<Size>> Client::sizes() {
  return doing(list_of(*transport_, {"/v2/sizes", "", "sizes", "slug"}, decode_size),
               "listing droplet sizes");
}

Result<std::vector<SshKey>> Client::ssh_keys() {
  return doing(list_of(*transport_, {"/v2/account/keys", "", "ssh_keys", "id"}, decode_ssh_key),
               "listing SSH keys");
}

Result<std::optional<SshKey>> Client::find_ssh_key(const std::string& fingerprint) {
  PAAS_CHECK(check_given(fingerprint, "fingerprint"));
  auto key = send_for(*transport_, {"GET", "/v2/account/keys/" + escaped(fingerprint), {}},
                      "ssh_key", decode_ssh_key);
  if (key) return std::move(*key);
  if (key.error().kind == ErrorKind::not_found) return std::nullopt;
  return fail(std::move(key.error()), "looking for SSH key " + fingerprint);
}

Result<SshKey> Client::create_ssh_key(const std::string& name, const std::string& public_key) {
  const Call call{"POST", "/v2/account/keys", {{"name", name}, {"public_key", public_key}}};
  return doing(send_for(*transport_, call, "ssh_key", decode_ssh_key),
               "registering SSH key " + name);
}

Status Client::delete_ssh_key(std::int64_t id) {
  return doing(send_deletion(*transport_, fmt::format("/v2/account/keys/{}", id)),
               fmt::format("deleting SSH key {}", id));
}

}  // namespace paas::digitalocean
