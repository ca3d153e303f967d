// What the local cloud offers: regions, sizes and distribution images, as DigitalOcean names them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paas::cloud::catalogue {

struct Region {
  std::string slug;
  std::string name;
};

struct Size {
  std::string slug;
  std::string description;
  int memory_megabytes = 0;
  int cpus = 0;
  int disk_gigabytes = 0;
  double transfer_terabytes = 0;
  double price_monthly = 0;
};

struct Distribution {
  std::int64_t id = 0;
  std::string slug;
  std::string name;
  std::string distribution;
};

const std::vector<Region>& regions();
const std::vector<Size>& sizes();
const std::vector<Distribution>& distributions();

/// Nothing (null) when there is none of that name.
const Region* find_region(std::string_view slug);
const Size* find_size(std::string_view slug);
const Distribution* find_distribution(std::string_view slug);
const Distribution* find_distribution(std::int64_t id);

}  // namespace paas::cloud::catalogue
