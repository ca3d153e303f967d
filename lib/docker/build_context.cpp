// Listing, digesting and streaming a build context.
#include "docker/build_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "docker/ignore.hpp"
#include "docker/sha256.hpp"
#include "docker/tar.hpp"

namespace paas::docker {
namespace {

constexpr std::size_t part_bytes = 1U << 20U;
/// 1980-01-02, because a zip archive made inside a build knows no earlier time.
constexpr std::int64_t fixed_time = 315'619'200;
constexpr int deepest_folder = 200;

/// Whether following `target` from the link's own folder stays inside the context.
bool stays_inside(const std::string& path, const std::string& target) {
  if (target.empty() || target.front() == '/') return false;
  auto depth = std::count(path.begin(), path.end(), '/');
  for (const auto& part : text::split(target, '/')) {
    if (part.empty() || part == ".") continue;
    depth += part == ".." ? -1 : 1;
    if (depth < 0) return false;
  }
  return true;
}

/// Walks a folder and keeps what the rules leave.
class Lister {
 public:
  Lister(Files& files, std::string folder, const IgnoreRules& rules, std::set<std::string> always)
      : files_(files), folder_(std::move(folder)), rules_(rules), always_(std::move(always)) {}

  Status walk(const std::string& below, int depth) {
    if (depth > deepest_folder) return invalid(below, "is nested too deeply");
    PAAS_TRY(const auto names, files_.list(below.empty() ? folder_ : folder_ + "/" + below));
    for (const auto& name : names) {
      const auto path = below.empty() ? name : below + "/" + name;
      PAAS_TRY(const auto info, files_.info(folder_ + "/" + path));
      // A file that went away while the folder was read was not there.
      if (!info) continue;
      PAAS_CHECK(visit({path, *info}, depth));
    }
    return {};
  }

  std::vector<ContextEntry> take() {
    std::sort(entries_.begin(), entries_.end(),
              [](const auto& left, const auto& right) { return left.path < right.path; });
    return std::move(entries_);
  }

 private:
  static tl::unexpected<Error> invalid(const std::string& path, std::string_view what) {
    return fail(ErrorKind::invalid, fmt::format("{} in the build context {}", path, what),
                "remove it, or list it in .dockerignore");
  }

  /// The Dockerfile may lie in a folder that is ignored.
  bool leads_to_always(const std::string& path) const {
    const auto found = always_.lower_bound(path + "/");
    return found != always_.end() && found->rfind(path + "/", 0) == 0;
  }

  Status visit(ContextEntry entry, int depth) {
    const bool folder = entry.info.kind == FileKind::directory;
    const auto path = entry.path;
    const bool ignored = always_.count(path) == 0 && rules_.ignores(path);
    if (ignored && !(folder && (rules_.may_include_below(path) || leads_to_always(path)))) {
      return {};
    }
    if (entry.info.kind == FileKind::other) return invalid(path, "is a device, a pipe or a socket");
    if (entry.info.kind == FileKind::symlink && !stays_inside(path, entry.info.link_target)) {
      return invalid(path, fmt::format("is a link that leaves it (to {})", entry.info.link_target));
    }
    const auto position = entries_.size();
    entries_.push_back(std::move(entry));
    if (!folder) return {};
    PAAS_CHECK(walk(path, depth + 1));
    // An ignored folder is sent only for what is in it.
    if (ignored && entries_.size() == position + 1) entries_.pop_back();
    return {};
  }

  Files& files_;
  std::string folder_;
  const IgnoreRules& rules_;
  std::set<std::string> always_;
  std::vector<ContextEntry> entries_;
};

/// "./sub//Dockerfile" as "sub/Dockerfile"; nothing when it is not inside.
std::optional<std::string> inside(const std::string& dockerfile) {
  std::vector<std::string> kept;
  if (dockerfile.empty() || dockerfile.front() == '/') return std::nullopt;
  for (auto& part : text::split(dockerfile, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (kept.empty()) return std::nullopt;
      kept.pop_back();
    } else {
      kept.push_back(std::move(part));
    }
  }
  if (kept.empty()) return std::nullopt;
  return text::join(kept, "/");
}

/// The parts of one file, and an error when it has not the length that it had when it was listed.
Result<std::string> next_part(Files& files, const std::string& path, std::uint64_t size,
                              std::uint64_t offset, std::size_t most) {
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(most, size - offset));
  PAAS_TRY(auto part, files.read_range(path, offset, length));
  if (part.size() != length) {
    return fail(ErrorKind::failed, path + " became shorter while it was being read",
                "run the build again");
  }
  return part;
}

tar::Entry tar_entry(const ContextEntry& entry) {
  tar::Entry result;
  result.path = entry.path;
  result.mode = entry.info.mode;
  result.modified_seconds = fixed_time;
  if (entry.info.kind == FileKind::directory) result.kind = tar::Kind::directory;
  if (entry.info.kind == FileKind::symlink) {
    result.kind = tar::Kind::symlink;
    result.link = entry.info.link_target;
  }
  if (entry.info.kind == FileKind::regular) result.size_bytes = entry.info.size_bytes;
  return result;
}

/// Makes the archive piece by piece: an entry's header, its content, its padding.
class ArchiveSource {
 public:
  ArchiveSource(Files& files, std::string folder, std::vector<ContextEntry> entries)
      : files_(&files), folder_(std::move(folder)), entries_(std::move(entries)) {}

  Result<std::string> next(std::size_t capacity) {
    while (ready_.size() < capacity && !done_) {
      auto added = add(capacity);
      if (!added) return fail(std::move(added.error()), "sending the build context");
    }
    auto part = ready_.substr(0, capacity);
    ready_.erase(0, part.size());
    return part;
  }

 private:
  Status add(std::size_t capacity) {
    if (current_ == entries_.size()) {
      ready_ += tar::end();
      done_ = true;
      return {};
    }
    const auto entry = tar_entry(entries_[current_]);
    if (!begun_) {
      ready_ += tar::header(entry);
      begun_ = true;
    }
    if (offset_ < entry.size_bytes) {
      const auto most = std::max(capacity, part_bytes);
      PAAS_TRY(const auto part,
               next_part(*files_, folder_ + "/" + entry.path, entry.size_bytes, offset_, most));
      ready_ += part;
      offset_ += part.size();
    }
    if (offset_ == entry.size_bytes) {
      ready_ += tar::padding(entry.size_bytes);
      ++current_;
      offset_ = 0;
      begun_ = false;
    }
    return {};
  }

  Files* files_;
  std::string folder_;
  std::vector<ContextEntry> entries_;
  std::string ready_;
  std::size_t current_ = 0;
  std::uint64_t offset_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace

Result<std::vector<ContextEntry>> list_context(Files& files, const std::string& folder,
                                               const std::string& dockerfile) {
  PAAS_TRY(auto root, files.info(folder));
  if (root && root->kind == FileKind::symlink) {
    PAAS_TRY(root, files.info(folder + "/."));
  }
  if (!root || root->kind != FileKind::directory) {
    return fail(ErrorKind::invalid, fmt::format("there is no folder {}", folder),
                "a build context is a folder with a Dockerfile");
  }
  const auto name = inside(dockerfile);
  if (!name) {
    return fail(
        ErrorKind::invalid,
        fmt::format("the Dockerfile {} is not inside the build context {}", dockerfile, folder));
  }
  PAAS_TRY(const auto found, files.info(folder + "/" + *name));
  if (!found || found->kind == FileKind::directory || found->kind == FileKind::other) {
    return fail(ErrorKind::invalid, fmt::format("there is no {} in {}", *name, folder),
                fmt::format("make {}/{}, or name another file with dockerfile:", folder, *name));
  }
  // A file of the Dockerfile's own goes before the folder's.
  std::string ignore_file = *name + ".dockerignore";
  PAAS_TRY(const auto own, files.info(folder + "/" + ignore_file));
  if (!own) ignore_file = ".dockerignore";
  PAAS_TRY(const auto ignore, files.info(folder + "/" + ignore_file));
  std::string text;
  if (ignore) {
    PAAS_TRY(text, files.read(folder + "/" + ignore_file));
  }
  PAAS_TRY(const auto rules, IgnoreRules::parse(text, folder + "/" + ignore_file));
  Lister lister(files, folder, rules, {*name, ignore_file});
  PAAS_CHECK(lister.walk("", 0));
  return lister.take();
}

Result<std::string> context_digest(Files& files, const std::string& folder,
                                   const std::vector<ContextEntry>& entries) {
  Sha256 hash;
  for (const auto& entry : entries) {
    const auto described = tar_entry(entry);
    // Lengths stand before texts, so that no two contexts feed the same bytes.
    hash.feed(fmt::format("{} {} {} {} {} {} {}\n", static_cast<int>(described.kind),
                          described.mode, described.size_bytes, described.path.size(),
                          described.path, described.link.size(), described.link));
    for (std::uint64_t offset = 0; offset < described.size_bytes;) {
      PAAS_TRY(const auto part, next_part(files, folder + "/" + described.path,
                                          described.size_bytes, offset, part_bytes));
      hash.feed(part);
      offset += part.size();
    }
  }
  return hash.finish();
}

std::function<Result<std::string>(std::size_t)> context_archive(Files& files, std::string folder,
                                                                std::vector<ContextEntry> entries) {
  auto source = std::make_shared<ArchiveSource>(files, std::move(folder), std::move(entries));
  return [source](std::size_t capacity) { return source->next(capacity); };
}

}  // namespace paas::docker
