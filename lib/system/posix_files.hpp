// Files of this machine, with atomic replacement and guards by flock(2).
#pragma once

#include "ports/files.hpp"

namespace paas::system {

class PosixFiles : public Files {
 public:
  Result<std::string> read(const std::string& path) override;
  Status write_atomically(const std::string& path, std::string_view content,
                          std::uint32_t mode) override;
  Status flush(const std::string& path) override;
  /// A new file gets mode 0600.
  Status append(const std::string& path, std::string_view content) override;
  Result<std::string> read_range(const std::string& path, std::uint64_t offset,
                                 std::size_t length) override;
  Status make_directories(const std::string& path, std::uint32_t mode) override;
  Status remove(const std::string& path) override;
  Status remove_tree(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Result<std::optional<FileInfo>> info(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::unique_ptr<FileGuard>> try_guard(const std::string& path,
                                               std::string_view owner) override;
};

}  // namespace paas::system
