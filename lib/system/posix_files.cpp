// Implementation of the file system port with POSIX calls.
#include "system/posix_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/text.hpp"
#include "system/descriptor.hpp"
#include "system/system_random.hpp"

namespace paas::system {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<Descriptor> open_file(const std::string& path, int flags, mode_t mode = 0) {
  while (true) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (number >= 0) return Descriptor(number);
    if (errno != EINTR) return fail_errno(errno, "opening " + path);
  }
}

Status write_all(int descriptor, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return fail_errno(errno, "writing " + path);
    }
  }
  return {};
}

Status flush_descriptor(int descriptor, const std::string& path) {
  // EINVAL: the file system has nothing to flush (some special ones).
  if (::fsync(descriptor) != 0 && errno != EINVAL) return fail_errno(errno, "flushing " + path);
  return {};
}

/// A name that is not there after an error, whatever the error was.
class Temporary {
 public:
  explicit Temporary(std::string path) : path_(std::move(path)) {}
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  void keep() { path_.clear(); }

 private:
  std::string path_;
};

class FlockGuard : public FileGuard {
 public:
  explicit FlockGuard(Descriptor file) : file_(std::move(file)) {}
  ~FlockGuard() override {
    // The owner's name goes while the guard is still ours; the file itself stays, because
    // removing it would let two processes hold guards of two files of one name.
    [[maybe_unused]] const int result = ::ftruncate(file_.get(), 0);
  }

 private:
  Descriptor file_;
};

}  // namespace

Result<std::string> PosixFiles::read(const std::string& path) {
  PAAS_TRY(const Descriptor file, open_file(path, O_RDONLY));
  std::string content;
  std::array<char, 65536> part{};
  while (true) {
    const auto count = ::read(file.get(), part.data(), part.size());
    if (count == 0) return content;
    if (count > 0) {
      content.append(part.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return fail_errno(errno, "reading " + path);
    }
  }
}

Status PosixFiles::write_atomically(const std::string& path, std::string_view content,
                                    std::uint32_t mode) {
  const auto folder = folder_of(path);
  const auto base = path.substr(path.rfind('/') + 1);
  const auto temporary = fmt::format("{}/.{}.{}", folder, base, text::hex(SystemRandom().bytes(6)));
  {
    PAAS_TRY(Descriptor file,
             open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    Temporary remover(temporary);
    if (::fchmod(file.get(), mode) != 0) return fail_errno(errno, "setting the mode of " + path);
    PAAS_CHECK(write_all(file.get(), content, path));
    PAAS_CHECK(flush_descriptor(file.get(), path));
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      return fail_errno(errno, "replacing " + path);
    remover.keep();
  }
  PAAS_TRY(const Descriptor directory, open_file(folder, O_RDONLY | O_DIRECTORY));
  return flush_descriptor(directory.get(), folder);
}

Status PosixFiles::flush(const std::string& path) {
  for (const auto& [name, flags] :
       {std::pair(path, O_RDONLY), std::pair(folder_of(path), O_RDONLY | O_DIRECTORY)}) {
    PAAS_TRY(const Descriptor file, open_file(name, flags));
    PAAS_CHECK(flush_descriptor(file.get(), name));
  }
  return {};
}

Status PosixFiles::append(const std::string& path, std::string_view content) {
  PAAS_TRY(const Descriptor file,
           open_file(path, O_WRONLY | O_CREAT | O_APPEND, S_IRUSR | S_IWUSR));
  return write_all(file.get(), content, path);
}

Result<std::string> PosixFiles::read_range(const std::string& path, std::uint64_t offset,
                                           std::size_t length) {
  PAAS_TRY(const Descriptor file, open_file(path, O_RDONLY));
  std::string content(length, '\0');
  std::size_t filled = 0;
  while (filled < length) {
    const auto count = ::pread(file.get(), content.data() + filled, length - filled,
                               static_cast<off_t>(offset + filled));
    if (count == 0) break;
    if (count > 0) {
      filled += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return fail_errno(errno, "reading " + path);
    }
  }
  content.resize(filled);
  return content;
}

Status PosixFiles::make_directories(const std::string& path, std::uint32_t mode) {
  for (auto end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const auto part = path.substr(0, end);
    if (::mkdir(part.c_str(), mode) == 0) {
      // The process's umask must not make it less, or more, than was asked.
      if (::chmod(part.c_str(), mode) != 0) return fail_errno(errno, "setting the mode of " + part);
    } else if (const int number = errno; number != EEXIST) {
      struct stat found {};
      // A read-only parent (EROFS, EACCES) is no obstacle when the folder is there already.
      if (::stat(part.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
        return fail_errno(number, "making the folder " + part);
      }
    }
    if (end == std::string::npos) break;
  }
  struct stat made {};
  if (::stat(path.c_str(), &made) != 0) return fail_errno(errno, "making the folder " + path);
  if (!S_ISDIR(made.st_mode)) return fail_errno(ENOTDIR, "making the folder " + path);
  return {};
}

Status PosixFiles::remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR || errno == EPERM) {
    if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  }
  return fail_errno(errno, "removing " + path);
}

Status PosixFiles::remove_tree(const std::string& path) {
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) return fail(ErrorKind::failed, fmt::format("removing {}: {}", path, code.message()));
  return {};
}

Status PosixFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  return fail_errno(errno, fmt::format("renaming {} to {}", from, to));
}

Result<std::optional<FileInfo>> PosixFiles::info(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    return fail_errno(errno, "examining " + path);
  }
  FileInfo result;
  result.kind = S_ISREG(found.st_mode)   ? FileKind::regular
                : S_ISDIR(found.st_mode) ? FileKind::directory
                : S_ISLNK(found.st_mode) ? FileKind::symlink
                                         : FileKind::other;
  result.size_bytes = static_cast<std::uint64_t>(found.st_size);
  result.mode = found.st_mode & 07777;
  result.modified_seconds = found.st_mtim.tv_sec;
  if (result.kind == FileKind::symlink) {
    std::array<char, 4096> target{};
    const auto length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return fail_errno(errno, "examining " + path);
    result.link_target.assign(target.data(), static_cast<std::size_t>(length));
  }
  return result;
}

Result<std::vector<std::string>> PosixFiles::list(const std::string& path) {
  std::error_code code;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(path, code);
  while (!code && entry != std::filesystem::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(code);
  }
  if (code) return fail_errno(code.value(), "listing " + path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::unique_ptr<FileGuard>> PosixFiles::try_guard(const std::string& path,
                                                         std::string_view owner) {
  PAAS_TRY(Descriptor file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return nullptr;
    if (errno != EINTR) return fail_errno(errno, "taking the guard " + path);
  }
  if (::ftruncate(file.get(), 0) != 0) return fail_errno(errno, "writing " + path);
  PAAS_CHECK(write_all(file.get(), owner, path));
  return std::make_unique<FlockGuard>(std::move(file));
}

}  // namespace paas::system
