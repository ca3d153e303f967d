// The record of a machine as JSON.
#include "cloud/machine_record.hpp"

#include <nlohmann/json.hpp>

namespace paas::cloud {

std::string encode_record(const MachineRecord& record) {
  nlohmann::ordered_json json = {{"droplet_id", record.droplet_id},
                                 {"name", record.name},
                                 {"vpc_id", record.vpc_id},
                                 {"public_address", record.public_address},
                                 {"private_address", record.private_address},
                                 {"made", record.made},
                                 {"running", record.running},
                                 {"volumes", nlohmann::ordered_json::array()},
                                 {"reserved_addresses", record.reserved_addresses}};
  for (const AttachedVolume& volume : record.volumes) {
    json["volumes"].push_back({{"volume_id", volume.volume_id}, {"name", volume.name}});
  }
  return json.dump(2) + "\n";
}

Result<MachineRecord> decode_record(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return fail(ErrorKind::invalid, "the record of a machine is not JSON");
  try {
    MachineRecord record;
    json.at("droplet_id").get_to(record.droplet_id);
    json.at("name").get_to(record.name);
    json.at("vpc_id").get_to(record.vpc_id);
    json.at("public_address").get_to(record.public_address);
    json.at("private_address").get_to(record.private_address);
    record.made = json.value("made", true);
    json.at("running").get_to(record.running);
    for (const auto& volume : json.at("volumes")) {
      record.volumes.push_back(
          {volume.at("volume_id").get<std::string>(), volume.at("name").get<std::string>()});
    }
    json.at("reserved_addresses").get_to(record.reserved_addresses);
    return record;
  } catch (const nlohmann::json::exception& exception) {
    return fail(ErrorKind::invalid, std::string("the record of a machine: ") + exception.what());
  }
}

}  // namespace paas::cloud
