// What the local cloud's world must know of a machine to bring it back, kept in a file beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace paas::cloud {

struct AttachedVolume {
  std::string volume_id;
  std::string name;
  friend bool operator==(const AttachedVolume&, const AttachedVolume&) = default;
};

struct MachineRecord {
  std::int64_t droplet_id = 0;
  std::string name;
  std::string vpc_id;
  std::string public_address;
  std::string private_address;
  /// It started once as it is to be. One that did not has whatever its making got to, is never
  /// started, and is made again from nothing.
  bool made = true;
  bool running = true;  ///< What it should be; stopping the whole cloud does not change it.
  std::vector<AttachedVolume> volumes;
  std::vector<std::string> reserved_addresses;
  friend bool operator==(const MachineRecord&, const MachineRecord&) = default;
};

std::string encode_record(const MachineRecord& record);
/// Error (invalid): not such a record.
Result<MachineRecord> decode_record(const std::string& json);

}  // namespace paas::cloud
