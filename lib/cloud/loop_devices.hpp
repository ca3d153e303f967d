// Block storage: sparse files and the loop devices that present them.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ports/clock.hpp"
#include "ports/process.hpp"

namespace paas::cloud {

struct LoopDevice {
  std::string path;          ///< "/dev/loop3"
  std::string numbers;       ///< "7:3", as in /proc/self/mountinfo.
  std::string backing_file;  ///< Without the mark of a file that was removed.
  friend bool operator==(const LoopDevice&, const LoopDevice&) = default;
};

/// The devices in the answer of `losetup -J -l -O NAME,MAJ:MIN,BACK-FILE`. Error (failed): not such
/// an answer.
Result<std::vector<LoopDevice>> parse_loop_devices(const std::string& json);

/// Devices are told apart by their backing files: no other one is ever touched.
class LoopDevices {
 public:
  LoopDevices(Processes& processes, Clock& clock) : processes_(processes), clock_(clock) {}

  Result<std::vector<LoopDevice>> list();
  /// Makes the sparse file, with a file system when `filesystem_type` is set. What exists is left
  /// as it is.
  Status make_file(const std::string& file, int size_gigabytes, const std::string& filesystem_type,
                   const std::string& filesystem_label);
  /// The device of the file; attached now, or found.
  Result<LoopDevice> attach(const std::string& file);
  /// Detaches and waits until the device is gone. Error (failed): something still uses it.
  Status detach(const std::string& file);
  /// Makes the file larger, and the device when there is one.
  Status grow(const std::string& file, int size_gigabytes);
  /// Detaches every device whose file lies below the folder, removed files included.
  Status detach_below(const std::string& folder);

 private:
  Result<std::string> run(std::vector<std::string> arguments);
  Result<std::optional<LoopDevice>> find(const std::string& file);
  Status release(const LoopDevice& device);

  Processes& processes_;
  Clock& clock_;
  std::mutex mutex_;  ///< Two attachments of one file at once would make two devices.
};

}  // namespace paas::cloud
