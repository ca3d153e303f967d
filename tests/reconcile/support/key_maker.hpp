// Makes keys that look like SSH's.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <string>

#include "base/text.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"

namespace paas::reconcile::testing {

/// ssh-keygen, whose keys are numbers.
class KeyMaker : public Processes {
 public:
  /// Numbers begin after `base`, so that keys of one run differ from those of the runs before.
  KeyMaker(Files& files, int base) : files_(files), base_(base) {}
  Result<ProcessResult> run(const ProcessRequest& request) override {
    const auto path = request.arguments.back();
    const auto length = [](char count) { return std::string(3, '\0') + count; };
    const auto blob =
        length(11) + "ssh-ed25519" + length(32) + fmt::format("{:032}", ++made_ + base_);
    PAAS_CHECK(files_.write_atomically(path, "private " + path, 0600));
    PAAS_CHECK(files_.write_atomically(
        path + ".pub", "ssh-ed25519 " + text::base64_encode(blob) + " comment", 0644));
    return ProcessResult{};
  }
  Result<int> run_attached(const std::vector<std::string>&) override { return 0; }
  Result<int> start_detached(const std::vector<std::string>&, const std::string&) override {
    return 0;
  }

 private:
  Files& files_;
  int base_;
  std::atomic<int> made_{0};
};

}  // namespace paas::reconcile::testing
