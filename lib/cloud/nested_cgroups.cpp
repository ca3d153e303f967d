// Removes the empty groups; what cannot be removed costs nothing but its name.
#include "cloud/nested_cgroups.hpp"

namespace paas::cloud {
namespace {

constexpr const char* hierarchies = "/sys/fs/cgroup";

bool is_container_id(const std::string& name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::vector<std::string> nested_containers(Files& files, const std::string& data_folder) {
  std::vector<std::string> containers;
  const auto names = files.list(data_folder + "/containers");
  if (!names) return containers;
  for (const std::string& name : *names) {
    if (is_container_id(name)) containers.push_back(name);
  }
  return containers;
}

void remove_nested_cgroups(Files& files, const std::vector<std::string>& containers) {
  if (containers.empty()) return;
  const auto mounted = files.list(hierarchies);
  if (!mounted) return;
  for (const std::string& hierarchy : *mounted) {
    for (const std::string& container : containers) {
      (void)files.remove(std::string(hierarchies) + "/" + hierarchy + "/docker/" + container);
    }
  }
}

}  // namespace paas::cloud
