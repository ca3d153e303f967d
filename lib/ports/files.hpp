// The file system, with what the lockfile needs: atomic replacement, and a guard by the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace paas {

enum class FileKind { regular, directory, symlink, other };

struct FileInfo {
  FileKind kind = FileKind::regular;
  std::uint64_t size_bytes = 0;
  std::uint32_t mode = 0;             ///< Permission bits.
  std::int64_t modified_seconds = 0;  ///< Unix time.
  std::string link_target;            ///< For a symlink.
};

/// Held while the object lives: an exclusive flock(2), which the kernel drops with the process.
class FileGuard {
 public:
  virtual ~FileGuard() = default;
};

class Files {
 public:
  virtual ~Files() = default;
  virtual Result<std::string> read(const std::string& path) = 0;
  /// Writes a temporary file in the same folder, flushes it, renames it over `path` and flushes the
  /// folder. Either the old or the new content is there at any time.
  virtual Status write_atomically(const std::string& path, std::string_view content,
                                  std::uint32_t mode) = 0;
  /// Flushes a file and the folder that names it: what was read of it is there after the power
  /// failed, even if who wrote it did not come so far.
  virtual Status flush(const std::string& path) = 0;
  virtual Status append(const std::string& path, std::string_view content) = 0;
  /// Streams: calls back with parts of the file from `offset` for `length` bytes.
  virtual Result<std::string> read_range(const std::string& path, std::uint64_t offset,
                                         std::size_t length) = 0;
  virtual Status make_directories(const std::string& path, std::uint32_t mode) = 0;
  /// Removes a file or an empty directory; what is not there is no error.
  virtual Status remove(const std::string& path) = 0;
  virtual Status remove_tree(const std::string& path) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Information without following links; nothing when it does not exist.
  virtual Result<std::optional<FileInfo>> info(const std::string& path) = 0;
  /// Names in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// Takes the guard or returns nothing when another process holds it; `owner` becomes the content.
  virtual Result<std::unique_ptr<FileGuard>> try_guard(const std::string& path,
                                                       std::string_view owner) = 0;
};

}  // namespace paas
