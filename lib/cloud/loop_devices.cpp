// Drives losetup(8), truncate(1) and mkfs(8).
#include "cloud/loop_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cloud/host_command.hpp"

namespace paas::cloud {
namespace {

std::string text_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Result<std::vector<LoopDevice>> parse_loop_devices(const std::string& json) {
  // Without any device losetup prints nothing at all.
  if (text::trim(json).empty()) return std::vector<LoopDevice>{};
  const auto root = nlohmann::json::parse(json, nullptr, false);
  const auto list = root.is_object() ? root.find("loopdevices") : root.end();
  if (!root.is_object() || list == root.end() || !list->is_array()) {
    return fail(ErrorKind::failed, "losetup did not list the devices as JSON");
  }
  constexpr std::string_view removed = " (deleted)";
  std::vector<LoopDevice> devices;
  for (const auto& entry : *list) {
    if (!entry.is_object()) continue;
    LoopDevice device{text_of(entry, "name"), text_of(entry, "maj:min"),
                      text_of(entry, "back-file")};
    // Columns are padded in losetup 2.38: " 7:0".
    device.numbers = text::trim(device.numbers);
    if (device.backing_file.ends_with(removed)) {
      device.backing_file.resize(device.backing_file.size() - removed.size());
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

Result<std::string> LoopDevices::run(std::vector<std::string> arguments) {
  return run_on_host(processes_, std::move(arguments));
}

Result<std::vector<LoopDevice>> LoopDevices::list() {
  PAAS_TRY(const auto output,
           run({"losetup", "--json", "--list", "--output", "NAME,MAJ:MIN,BACK-FILE"}));
  return parse_loop_devices(output);
}

Result<std::optional<LoopDevice>> LoopDevices::find(const std::string& file) {
  PAAS_TRY(const auto devices, list());
  const auto found = std::find_if(devices.begin(), devices.end(), [&](const LoopDevice& device) {
    return device.backing_file == file;
  });
  if (found == devices.end()) return std::nullopt;
  return *found;
}

Status LoopDevices::make_file(const std::string& file, int size_gigabytes,
                              const std::string& filesystem_type,
                              const std::string& filesystem_label) {
  // A file that is there holds somebody's data. One that a crash left half made has another name.
  if (run({"test", "-e", file})) return {};
  const std::string unfinished = file + ".new";
  PAAS_CHECK(run({"rm", "-f", unfinished}));
  PAAS_CHECK(run({"truncate", "--size", fmt::format("{}G", size_gigabytes), unfinished}));
  if (!filesystem_type.empty()) {
    const bool ext4 = filesystem_type == "ext4";
    if (!ext4 && filesystem_type != "xfs") {
      return fail(ErrorKind::invalid,
                  fmt::format("'{}' is no file system of a volume", filesystem_type));
    }
    std::vector<std::string> make = {"mkfs." + filesystem_type, "-q"};
    // Lazily made inode tables keep the file sparse and the call short.
    if (ext4) make.insert(make.end(), {"-F", "-E", "lazy_itable_init=1,lazy_journal_init=1"});
    if (!filesystem_label.empty()) make.insert(make.end(), {"-L", filesystem_label});
    make.push_back(unfinished);
    PAAS_CHECK(run(std::move(make)));
  }
  PAAS_CHECK(run({"mv", "--no-clobber", unfinished, file}));
  return {};
}

Result<LoopDevice> LoopDevices::attach(const std::string& file) {
  const std::lock_guard lock(mutex_);
  PAAS_TRY(const auto existing, find(file));
  if (existing) return *existing;
  PAAS_CHECK(run({"losetup", "--find", "--show", file}));
  PAAS_TRY(const auto made, find(file));
  if (!made) return fail(ErrorKind::failed, "losetup attached " + file + " and does not list it");
  return *made;
}

Status LoopDevices::release(const LoopDevice& device) {
  PAAS_CHECK(run({"losetup", "--detach", device.path}));
  // A device that something still has open is only marked: the kernel frees it with the last user.
  // It must not be handed out again before, or two machines would mount one file system.
  // Writing a file system back takes a while on a busy machine.
  for (int attempt = 0; attempt < 600; ++attempt) {
    PAAS_TRY(const auto left, find(device.backing_file));
    if (!left) return {};
    PAAS_CHECK(clock_.wait(std::chrono::milliseconds(50)));
  }
  return fail(ErrorKind::failed,
              fmt::format("{} ({}) is still in use", device.path, device.backing_file),
              "end what has the volume mounted");
}

Status LoopDevices::detach(const std::string& file) {
  PAAS_TRY(const auto existing, find(file));
  if (!existing) return {};
  return release(*existing);
}

Status LoopDevices::grow(const std::string& file, int size_gigabytes) {
  // ">" never makes a file smaller.
  PAAS_CHECK(run({"truncate", "--size", fmt::format(">{}G", size_gigabytes), file}));
  PAAS_TRY(const auto existing, find(file));
  if (existing) PAAS_CHECK(run({"losetup", "--set-capacity", existing->path}));
  return {};
}

Status LoopDevices::detach_below(const std::string& folder) {
  PAAS_TRY(const auto devices, list());
  Status first_error;
  for (const LoopDevice& device : devices) {
    if (!device.backing_file.starts_with(folder + "/")) continue;
    const auto released = release(device);
    if (!released && first_error) first_error = released;
  }
  return first_error;
}

}  // namespace paas::cloud
