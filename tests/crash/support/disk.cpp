// Replaces files step by step.
#include "crash/support/disk.hpp"

namespace paas::crash {
namespace {

class HeldGuard : public FileGuard {
 public:
  HeldGuard(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~HeldGuard() override { disk_.guards.erase(path_); }
  HeldGuard(const HeldGuard&) = delete;
  HeldGuard& operator=(const HeldGuard&) = delete;

 private:
  Disk& disk_;
  std::string path_;
};

Status unused() { return fail(ErrorKind::failed, "not used by a run"); }

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

bool Disk::is_settled() const {
  const auto without_guards = [](auto files) {
    std::erase_if(files, [](const auto& entry) { return entry.first.ends_with(".guard"); });
    return files;
  };
  return without_guards(seen) == without_guards(flushed);
}

Status DiskFiles::spend() {
  const auto status = fuse_.spend();
  if (!disk_.is_settled()) unsettled_.push_back(fuse_.spent());
  return status;
}

Result<std::string> DiskFiles::read(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto& files = is_scratch(path) ? scratch_files_ : disk_.seen;
  if (!is_scratch(path) && operations_.begin(Domain::file, "read " + name_of(path))) {
    return fail(ErrorKind::failed, "reading " + path + ": Input/output error");
  }
  const auto found = files.find(path);
  if (found == files.end()) return fail(ErrorKind::not_found, "no such file: " + path);
  return found->second.content;
}

Status DiskFiles::write_atomically(const std::string& path, std::string_view content,
                                   std::uint32_t mode) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const Disk::File whole{std::string(content), mode};
  if (is_scratch(path)) {
    scratch_files_[path] = whole;
    return {};
  }
  const auto fault = operations_.begin(Domain::file, "write " + name_of(path));
  if (fault == FaultKind::disk_full) {
    return fail(ErrorKind::failed, "writing " + path + ": No space left on device");
  }
  const auto temporary = path + ".new";
  const Disk::File half{whole.content.substr(0, whole.content.size() / 2), mode};
  disk_.seen[temporary] = half;
  disk_.flushed[temporary] = half;
  PAAS_CHECK(spend());
  disk_.seen[temporary] = whole;
  disk_.flushed[temporary] = whole;
  PAAS_CHECK(spend());
  disk_.seen.erase(temporary);
  disk_.seen[path] = whole;
  PAAS_CHECK(spend());
  if (fault == FaultKind::flush_fails) {
    return fail(ErrorKind::failed, "flushing " + path + ": Input/output error");
  }
  disk_.flushed.erase(temporary);
  disk_.flushed[path] = whole;
  return spend();
}

Status DiskFiles::flush(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto fault = operations_.begin(Domain::file, "flush " + name_of(path));
  if (fault) return fail(ErrorKind::failed, "flushing " + path + ": Input/output error");
  disk_.flushed[path] = disk_.seen[path];
  return {};
}

Status DiskFiles::append(const std::string&, std::string_view) { return unused(); }

Result<std::string> DiskFiles::read_range(const std::string&, std::uint64_t, std::size_t) {
  return fail(unused().error());
}

Status DiskFiles::make_directories(const std::string&, std::uint32_t) { return fuse_.check(); }

Status DiskFiles::remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (is_scratch(path)) {
    scratch_files_.erase(path);
    return {};
  }
  disk_.seen.erase(path);
  disk_.flushed.erase(path);
  return fuse_.spend();
}

Status DiskFiles::remove_tree(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (!is_scratch(path)) return unused();
  std::erase_if(scratch_files_, [&](const auto& entry) { return entry.first.starts_with(path); });
  return {};
}

Status DiskFiles::rename(const std::string&, const std::string&) { return unused(); }

Result<std::optional<FileInfo>> DiskFiles::info(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto& files = is_scratch(path) ? scratch_files_ : disk_.seen;
  const auto found = files.find(path);
  if (found == files.end()) return std::nullopt;
  FileInfo result;
  result.kind = FileKind::regular;
  result.mode = found->second.mode;
  result.size_bytes = found->second.content.size();
  return result;
}

Result<std::vector<std::string>> DiskFiles::list(const std::string&) {
  return std::vector<std::string>{};
}

Result<std::unique_ptr<FileGuard>> DiskFiles::try_guard(const std::string& path,
                                                        std::string_view owner) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (!disk_.guards.insert(path).second) return nullptr;
  disk_.seen[path] = {std::string(owner), 0600};
  return std::make_unique<HeldGuard>(disk_, path);
}

}  // namespace paas::crash
