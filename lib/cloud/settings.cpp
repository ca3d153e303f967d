// Reads and writes the small files of the state folder, and derives a cloud's name and range.
#include "cloud/settings.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/ip_range.hpp"

namespace paas::cloud {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t private_mode = 0600;
constexpr int public_prefix_length = 20;

std::string sha256(std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  EVP_Digest(data.data(), data.size(), sum.data(), &length, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(sum.data()), length};
}

/// /proc/net/route has addresses as hexadecimal numbers in network byte order, read as a
/// little-endian machine does.
std::optional<std::uint32_t> kernel_address(const std::string& text) {
  if (text.size() != 8 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    return std::nullopt;
  }
  const auto number = static_cast<std::uint32_t>(std::stoul(text, nullptr, 16));
  return number >> 24 | (number >> 8 & 0xff00) | (number << 8 & 0xff0000) | number << 24;
}

int prefix_length(std::uint32_t mask) {
  int length = 0;
  for (; mask != 0; mask <<= 1) ++length;
  return length;
}

}  // namespace

Result<std::string> default_state_folder(Environment& environment) {
  if (const auto base = environment.get("XDG_STATE_HOME"); base && !base->empty()) {
    return *base + "/paasctl/cloud";
  }
  if (const auto home = environment.get("HOME"); home && !home->empty()) {
    return *home + "/.local/state/paasctl/cloud";
  }
  return fail(ErrorKind::failed, "the local cloud has no folder for its state",
              "Set HOME or XDG_STATE_HOME, or give --state.");
}

std::string name_of_folder(const std::string& state_folder) {
  std::error_code code;
  // What does not exist yet would stay relative otherwise, and have another name afterwards.
  const auto whole = std::filesystem::absolute(state_folder, code);
  const auto real = code ? whole : std::filesystem::weakly_canonical(whole, code);
  auto path = code ? state_folder : real.string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return "c" + text::hex(sha256(path)).substr(0, 8);
}

std::string state_file(const std::string& folder) { return folder + "/state.json"; }
std::string settings_file(const std::string& folder) { return folder + "/settings.json"; }
std::string endpoint_file(const std::string& folder) { return folder + "/endpoint.json"; }
std::string guard_file(const std::string& folder) { return folder + "/guard"; }
std::string log_file(const std::string& folder) { return folder + "/cloud.log"; }

Status write_settings(Files& files, const CloudSettings& settings) {
  const Json json = {{"address", settings.address},
                     {"metadata_only", settings.metadata_only},
                     {"latency_ms", settings.latency.count()},
                     {"node_image", settings.node_image},
                     {"node_choice", settings.node_choice},
                     {"engine_socket", settings.engine_socket},
                     {"droplet_limit", settings.droplet_limit},
                     {"enforce_rate_limits", settings.enforce_rate_limits},
                     {"machine_delay_ms", settings.machine_delay.count()}};
  return files.write_atomically(settings_file(settings.state_folder), json.dump(2) + "\n",
                                private_mode);
}

Result<CloudSettings> read_settings(Files& files, const std::string& state_folder) {
  const auto path = settings_file(state_folder);
  PAAS_TRY(const auto text, files.read(path));
  const auto json = Json::parse(text, nullptr, false);
  CloudSettings settings;
  settings.state_folder = state_folder;
  try {
    settings.address = json.at("address").get<std::string>();
    settings.metadata_only = json.at("metadata_only").get<bool>();
    settings.latency = std::chrono::milliseconds(json.at("latency_ms").get<std::int64_t>());
    settings.node_image = json.at("node_image").get<std::string>();
    settings.node_choice = json.value("node_choice", settings.node_choice);
    settings.engine_socket = json.value("engine_socket", settings.engine_socket);
    settings.droplet_limit = json.at("droplet_limit").get<int>();
    settings.enforce_rate_limits = json.at("enforce_rate_limits").get<bool>();
    settings.machine_delay =
        std::chrono::milliseconds(json.at("machine_delay_ms").get<std::int64_t>());
  } catch (const Json::exception& error) {
    return fail(ErrorKind::invalid, fmt::format("reading {}: {}", path, error.what()));
  }
  return settings;
}

Status write_endpoint(Files& files, const std::string& state_folder, const Endpoint& endpoint) {
  const Json json = {{"url", endpoint.url},
                     {"token", endpoint.token},
                     {"pid", endpoint.process},
                     {"name", endpoint.name},
                     {"gateway_url", endpoint.gateway_url}};
  return files.write_atomically(endpoint_file(state_folder), json.dump(2) + "\n", private_mode);
}

std::optional<Endpoint> read_endpoint(Files& files, const std::string& state_folder) {
  const auto text = files.read(endpoint_file(state_folder));
  if (!text) return std::nullopt;
  const auto json = Json::parse(*text, nullptr, false);
  try {
    return Endpoint{json.at("url").get<std::string>(), json.at("token").get<std::string>(),
                    json.at("pid").get<int>(), json.at("name").get<std::string>(),
                    json.at("gateway_url").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::vector<std::string> parse_route_table(std::string_view table) {
  constexpr std::size_t destination_column = 1;
  constexpr std::size_t mask_column = 7;
  std::vector<std::string> ranges;
  for (const auto& line : text::lines(table)) {
    const auto columns = text::split(line, '\t');
    if (columns.size() <= mask_column) continue;
    const auto destination = kernel_address(std::string(text::trim(columns[destination_column])));
    const auto mask = kernel_address(std::string(text::trim(columns[mask_column])));
    // The heading is no address, and the default route leads everywhere.
    if (!destination || !mask || *mask == 0) continue;
    ranges.push_back(IpRange{*destination, prefix_length(*mask)}.text());
  }
  return ranges;
}

Result<std::string> choose_public_range(const std::string& name,
                                        const std::vector<std::string>& host_ranges) {
  const auto pool = *IpRange::parse("198.18.0.0/15");
  const auto block = std::uint32_t{1} << (32 - public_prefix_length);
  const auto count = (pool.last() - pool.first + 1) / block;
  const auto digest = sha256(name);
  const auto start = static_cast<unsigned char>(digest[0]);
  for (std::uint32_t tried = 0; tried < count; ++tried) {
    const IpRange range{pool.first + (start + tried) % count * block, public_prefix_length};
    const bool used =
        std::any_of(host_ranges.begin(), host_ranges.end(), [&](const std::string& text) {
          const auto other = IpRange::parse(text);
          return other && other->overlaps(range);
        });
    if (!used) return range.text();
  }
  return fail(ErrorKind::failed, "all of 198.18.0.0/15 is in use on this machine",
              "Other local clouds use it; `paasctl cloud down --purge` of one frees its part.");
}

}  // namespace paas::cloud
