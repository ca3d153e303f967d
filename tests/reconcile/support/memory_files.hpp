// Files in memory, for what lives as long as a run.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "ports/files.hpp"

namespace paas::reconcile::testing {

class MemoryFiles : public Files {
 public:
  Result<std::string> read(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return fail(ErrorKind::not_found, "no such file: " + path);
    return found->second;
  }
  Status write_atomically(const std::string& path, std::string_view content,
                          std::uint32_t) override {
    const std::scoped_lock lock(mutex_);
    files_[path] = content;
    return {};
  }
  Status flush(const std::string&) override { return {}; }
  Status append(const std::string&, std::string_view) override { return unused(); }
  Result<std::string> read_range(const std::string&, std::uint64_t, std::size_t) override {
    return fail(unused().error());
  }
  Status make_directories(const std::string&, std::uint32_t) override { return {}; }
  Status remove(const std::string&) override { return {}; }
  Status remove_tree(const std::string&) override { return {}; }
  Status rename(const std::string&, const std::string&) override { return unused(); }
  Result<std::optional<FileInfo>> info(const std::string&) override { return std::nullopt; }
  Result<std::vector<std::string>> list(const std::string&) override {
    return std::vector<std::string>{};
  }
  Result<std::unique_ptr<FileGuard>> try_guard(const std::string&, std::string_view) override {
    return std::make_unique<FileGuard>();
  }

 private:
  static Status unused() { return fail(ErrorKind::failed, "not used by the executor"); }
  std::mutex mutex_;
  std::map<std::string, std::string> files_;
};

}  // namespace paas::reconcile::testing
