// Reads whatever may be a lockfile, and writes what was read.
#include <string>

#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"
#include "lockfile/codec.hpp"

namespace paas::fuzz {

namespace {

/// Never the same bytes twice, and the same ones in every run.
class CountingRandom : public Random {
 public:
  std::string bytes(std::size_t count) override {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      result += static_cast<char>(state_ >> 33 & 0xff);
    }
    return result;
  }

 private:
  std::uint64_t state_ = 1;
};

}  // namespace

void lockfile(std::string_view input) {
  const auto names = lockfile::server_names(input);
  const auto lineage = lockfile::lineage_of(input);
  const lockfile::Key key(std::string(32, 'k'));
  const auto decoded = lockfile::decode(input, key);
  if (!decoded) {
    demand(!decoded.error().message.empty(), "an error says nothing");
    return;
  }
  demand(lineage && *lineage == decoded->lineage, "the lineage alone is another one");
  demand(names.size() == decoded->servers.size(), "the servers' names alone are others");
  for (const auto& name : names) demand(decoded->servers.contains(name), "no such server: " + name);

  CountingRandom random;
  const auto written = lockfile::encode(*decoded, key, random, input);
  demand(written.has_value(), "what was read cannot be written");
  const auto again = lockfile::decode(*written, key);
  demand(again.has_value(),
         again ? "" : "what was written cannot be read: " + again.error().message);
  demand(*again == *decoded, "what was written is another lockfile");
  const auto rewritten = lockfile::encode(*again, key, random, *written);
  demand(rewritten && *rewritten == *written, "an unchanged lockfile is written to other bytes");
}

}  // namespace paas::fuzz
