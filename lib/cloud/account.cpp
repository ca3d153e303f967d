// Answers /v2/account with its SSH keys, /v2/regions and /v2/sizes.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/text.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/fault.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

/// MD5 of the key's blob as colon-separated hex, which is how DigitalOcean names keys. Nothing when
/// the text is no OpenSSH public key.
std::optional<std::string> fingerprint_of(const std::string& public_key) {
  const auto parts = text::split(text::trim(public_key), ' ');
  if (parts.size() < 2 || public_key.find('\n') < public_key.size() - 1) return std::nullopt;
  const auto blob = text::base64_decode(parts[1]);
  // The blob repeats the algorithm's name behind its length in four bytes.
  if (!blob || blob->size() < 4 + parts[0].size() ||
      blob->compare(4, parts[0].size(), parts[0]) != 0) {
    return std::nullopt;
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  if (EVP_Digest(blob->data(), blob->size(), sum.data(), &length, EVP_md5(), nullptr) != 1) {
    return std::nullopt;
  }
  std::vector<std::string> bytes;
  for (unsigned index = 0; index < length; ++index)
    bytes.push_back(fmt::format("{:02x}", sum[index]));
  return text::join(bytes, ":");
}

/// By number or by fingerprint.
Key* find_key(State& state, const std::string& identifier) {
  for (auto& [id, key] : state.keys) {
    if (key.fingerprint == identifier || std::to_string(id) == identifier) return &key;
  }
  return nullptr;
}

Result<Reply> account(Turn& turn, const Call&) {
  const auto& settings = turn.state.settings;
  return Reply{
      200,
      {{"account",
        {{"droplet_limit", fault::droplet_limit(turn.state)},
         {"floating_ip_limit", settings.reserved_ip_limit},
         {"reserved_ip_limit", settings.reserved_ip_limit},
         {"name", "local cloud " + settings.name},
         {"email", "cloud@localhost"},
         {"uuid", fmt::format("{:032x}", settings.seed)},
         {"email_verified", true},
         {"status", "active"},
         {"status_message", ""},
         {"team", {{"uuid", fmt::format("{:032x}", settings.seed)}, {"name", "local"}}}}}}};
}

Result<Reply> list_keys(Turn& turn, const Call& call) {
  return list_reply(call, "ssh_keys", select(turn.state.keys, [](const Key&) { return true; }),
                    view::key);
}

Result<Reply> create_key(Turn& turn, const Call& call) {
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  PAAS_TRY(const auto public_key, text_field(call.body, "public_key"));
  if (!name || name->empty()) return invalid("Name can't be blank");
  if (!public_key || public_key->empty()) return invalid("Key can't be blank");
  const auto fingerprint = fingerprint_of(*public_key);
  if (!fingerprint) return invalid("Key invalid, key should be of the format `type key [comment]`");
  if (find_key(turn.state, *fingerprint) != nullptr) {
    return invalid("SSH Key is already in use on your account");
  }
  const auto id = turn.state.next_id++;
  const auto& key = turn.state.keys[id] =
      Key{id, *name, std::string(text::trim(*public_key)), *fingerprint};
  return Reply{201, {{"ssh_key", view::key(key)}}};
}

Result<Reply> get_key(Turn& turn, const Call& call) {
  const auto* key = find_key(turn.state, call.arguments[0]);
  if (key == nullptr) return not_found();
  return Reply{200, {{"ssh_key", view::key(*key)}}};
}

Result<Reply> rename_key(Turn& turn, const Call& call) {
  auto* key = find_key(turn.state, call.arguments[0]);
  if (key == nullptr) return not_found();
  PAAS_TRY(const auto name, text_field(call.body, "name"));
  if (!name || name->empty()) return invalid("Name can't be blank");
  key->name = *name;
  return Reply{200, {{"ssh_key", view::key(*key)}}};
}

Result<Reply> remove_key(Turn& turn, const Call& call) {
  const auto* key = find_key(turn.state, call.arguments[0]);
  if (key == nullptr) return not_found();
  turn.state.keys.erase(key->id);
  return Reply{204, {}};
}

template <typename Entry>
std::vector<const Entry*> pointers(const std::vector<Entry>& entries) {
  std::vector<const Entry*> result;
  for (const auto& entry : entries) result.push_back(&entry);
  return result;
}

Result<Reply> list_regions(Turn& turn, const Call& call) {
  return list_reply(call, "regions", pointers(catalogue::regions()),
                    [&](const catalogue::Region& entry) {
                      auto region = view::region(entry);
                      auto sizes = Json::array();
                      for (const auto& size : catalogue::sizes()) {
                        if (!fault::is_sold_out(turn.state, size.slug, entry.slug)) {
                          sizes.push_back(size.slug);
                        }
                      }
                      region["available"] = !sizes.empty();
                      region["sizes"] = std::move(sizes);
                      return region;
                    });
}

Result<Reply> list_sizes(Turn& turn, const Call& call) {
  return list_reply(call, "sizes", pointers(catalogue::sizes()), [&](const catalogue::Size& entry) {
    auto size = view::size(entry);
    auto regions = Json::array();
    for (const auto& region : catalogue::regions()) {
      if (!fault::is_sold_out(turn.state, entry.slug, region.slug)) {
        regions.push_back(region.slug);
      }
    }
    size["available"] = !regions.empty();
    size["regions"] = std::move(regions);
    return size;
  });
}

}  // namespace

std::vector<ApiRoute> account_routes() {
  return {{"GET", "/v2/account", account},
          {"GET", "/v2/account/keys", list_keys},
          {"POST", "/v2/account/keys", create_key},
          {"GET", "/v2/account/keys/{}", get_key},
          {"PUT", "/v2/account/keys/{}", rename_key},
          {"DELETE", "/v2/account/keys/{}", remove_key},
          {"GET", "/v2/regions", list_regions},
          {"GET", "/v2/sizes", list_sizes}};
}

}  // namespace paas::cloud
