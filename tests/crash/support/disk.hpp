// A disk in memory that shows each moment at which a process can be killed or the power can fail.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "crash/support/operation.hpp"
#include "ports/files.hpp"
#include "reconcile/support/fuse.hpp"

namespace paas::crash {

/// What is seen, and what of it would still be there after the power failed.
struct Disk {
  struct File {
    std::string content;
    std::uint32_t mode = 0600;
    friend bool operator==(const File&, const File&) = default;
  };
  std::map<std::string, File> seen;
  std::map<std::string, File> flushed;
  std::set<std::string> guards;  ///< Held by a process that lives.

  void lose_power() { seen = flushed; }
  /// Whether the power's failure would lose or bring back anything.
  bool is_settled() const;
};

/// One process's view of the disk. A file is replaced in the four steps of system::PosixFiles, each
/// of which may be the last one: half of the temporary file, all of it and its flush, the renaming,
/// the flush of the folder. What lies under `scratch` goes with the process and counts nothing.
class DiskFiles : public Files {
 public:
  DiskFiles(Disk& disk, reconcile::testing::Fuse& fuse, Operations& operations, std::string scratch)
      : disk_(disk), fuse_(fuse), operations_(operations), scratch_(std::move(scratch)) {}

  Result<std::string> read(const std::string& path) override;
  Status write_atomically(const std::string& path, std::string_view content,
                          std::uint32_t mode) override;
  Status flush(const std::string& path) override;
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

  /// Effects of this process, by their numbers, after which the power must not fail unnoticed.
  const std::vector<int>& unsettled() const { return unsettled_; }

 private:
  Status spend();
  bool is_scratch(const std::string& path) const { return path.starts_with(scratch_); }

  Disk& disk_;
  reconcile::testing::Fuse& fuse_;
  Operations& operations_;
  std::string scratch_;
  std::map<std::string, Disk::File> scratch_files_;
  std::vector<int> unsettled_;
  std::recursive_mutex mutex_;
};

}  // namespace paas::crash
