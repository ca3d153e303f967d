// The tables behind the catalogue. Prices are DigitalOcean's published ones, in dollars a month.
#include "cloud/catalogue.hpp"

#include <algorithm>

namespace paas::cloud::catalogue {
namespace {

template <typename Entry>
const Entry* find_slug(const std::vector<Entry>& entries, std::string_view slug) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.slug == slug; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<Region>& regions() {
  static const std::vector<Region> table = {
      {"ams3", "Amsterdam 3"}, {"blr1", "Bangalore 1"},     {"fra1", "Frankfurt 1"},
      {"lon1", "London 1"},    {"nyc1", "New York 1"},      {"nyc2", "New York 2"},
      {"nyc3", "New York 3"},  {"sfo2", "San Francisco 2"}, {"sfo3", "San Francisco 3"},
      {"sgp1", "Singapore 1"}, {"syd1", "Sydney 1"},        {"tor1", "Toronto 1"},
  };
  return table;
}

const std::vector<Size>& sizes() {
  static const std::vector<Size> table = {
      {"s-1vcpu-512mb-10gb", "Basic", 512, 1, 10, 0.5, 4},
      {"s-1vcpu-1gb", "Basic", 1024, 1, 25, 1, 6},
      {"s-1vcpu-2gb", "Basic", 2048, 1, 50, 2, 12},
      {"s-2vcpu-2gb", "Basic", 2048, 2, 60, 3, 18},
      {"s-2vcpu-4gb", "Basic", 4096, 2, 80, 4, 24},
      {"s-4vcpu-8gb", "Basic", 8192, 4, 160, 5, 48},
      {"s-8vcpu-16gb", "Basic", 16384, 8, 320, 6, 96},
      {"c-2", "CPU-Optimized", 4096, 2, 25, 4, 42},
      {"c-4", "CPU-Optimized", 8192, 4, 50, 5, 84},
      {"c-8", "CPU-Optimized", 16384, 8, 100, 6, 168},
      {"g-2vcpu-8gb", "General Purpose", 8192, 2, 25, 4, 63},
      {"g-4vcpu-16gb", "General Purpose", 16384, 4, 50, 5, 126},
      {"m-2vcpu-16gb", "Memory-Optimized", 16384, 2, 50, 4, 84},
      {"m-4vcpu-32gb", "Memory-Optimized", 32768, 4, 100, 6, 168},
  };
  return table;
}

const std::vector<Distribution>& distributions() {
  static const std::vector<Distribution> table = {
      {139, "debian-12-x64", "12 x64", "Debian"},
  };
  return table;
}

const Region* find_region(std::string_view slug) { return find_slug(regions(), slug); }
const Size* find_size(std::string_view slug) { return find_slug(sizes(), slug); }
const Distribution* find_distribution(std::string_view slug) {
  return find_slug(distributions(), slug);
}

const Distribution* find_distribution(std::int64_t id) {
  const auto& table = distributions();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Distribution& entry) { return entry.id == id; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace paas::cloud::catalogue
