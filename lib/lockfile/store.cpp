// A lockfile in a file: guarded, compared before it is replaced, flushed when a save returns.
#include "lockfile/store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "lockfile/codec.hpp"

namespace paas::lockfile {
namespace {

constexpr std::uint32_t private_mode = 0600;
constexpr std::uint32_t others_mask = 077;
constexpr std::size_t lineage_bytes = 16;

class HeldGuard : public Guard {
 public:
  explicit HeldGuard(std::shared_ptr<FileGuard> guard) : guard_(std::move(guard)) {}

 private:
  std::shared_ptr<FileGuard> guard_;
};

/// "serial 4 of lineage 0a1b", for the message about a lost update.
std::string version_of(std::string_view text) {
  if (text.empty()) return "no file";
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("serial") || !json.at("serial").is_number_integer()) {
    return "something unreadable";
  }
  const auto lineage = lineage_of(text);
  return fmt::format("serial {} of lineage {}", json.at("serial").get<std::int64_t>(),
                     lineage ? *lineage : "unknown");
}

/// Whose place it is; empty before the first `up`.
std::string stack_name(const Lockfile& lockfile) {
  return lockfile.applied ? lockfile.applied->name : "";
}

}  // namespace

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

FileStore::FileStore(Files& files, Environment& environment, Random& random, Clock& clock,
                     std::string lock_path)
    : files_(files),
      environment_(environment),
      random_(random),
      clock_(clock),
      path_(std::move(lock_path)),
      sightings_(files, environment, std::filesystem::absolute(path_).lexically_normal()) {}

Result<std::unique_ptr<Guard>> FileStore::acquire(const std::string& command) {
  const auto owner = fmt::format("pid {} on {}, {}, since {}", getpid(), host_name(), command,
                                 text::timestamp(clock_.now()));
  PAAS_TRY(std::shared_ptr<FileGuard> guard, files_.try_guard(guard_path(), owner));
  if (!guard) {
    const auto holder = files_.read(guard_path());
    const auto name =
        holder && !text::trim(*holder).empty() ? std::string(text::trim(*holder)) : "another run";
    return fail(ErrorKind::guard_held, fmt::format("{} is in use by {}", path_, name),
                "wait until it has finished; the guard is released even if it is killed");
  }
  const std::lock_guard lock(mutex_);
  guard_ = guard;
  backed_up_ = false;
  return std::make_unique<HeldGuard>(std::move(guard));
}

Result<Lockfile> FileStore::load() { return load(Sighted::demand); }

Result<Lockfile> FileStore::load_any() { return load(Sighted::ignore); }

Result<Lockfile> FileStore::load(Sighted sighted) {
  const std::lock_guard lock(mutex_);
  warnings_.clear();
  is_anew_ = false;
  replaced_path_.clear();
  seen_serial_ = 0;
  PAAS_TRY(auto text, read_text());
  Lockfile lockfile;
  if (text.empty()) {
    key_.reset();
    lockfile.lineage = text::hex(random_.bytes(lineage_bytes));
  } else {
    PAAS_TRY(lockfile, decoded(text));
    if (sighted == Sighted::demand) {
      PAAS_CHECK(demand_sighted(text, lockfile));
      note_sighting(text, lockfile);
    }
    const auto newest = sightings_.newest(lockfile.lineage);
    seen_serial_ = newest ? newest->serial : 0;
  }
  last_text_ = std::move(text);
  last_serial_ = lockfile.serial;
  doubtful_text_.reset();
  return lockfile;
}

Result<Lockfile> FileStore::decoded(std::string_view text) {
  const auto failed = [&](Error error) { return fail(std::move(error), "reading " + path_); };
  const auto lineage = lineage_of(text);
  if (!lineage) return failed(lineage.error());
  auto key = load_key(files_, environment_, *lineage);
  if (!key) return failed(key.error());
  auto lockfile = decode(text, *key);
  if (!lockfile) return failed(lockfile.error());
  key_ = std::move(*key);
  return std::move(*lockfile);
}

Status FileStore::demand_sighted(std::string& text, Lockfile& lockfile) {
  const auto newest = sightings_.newest(lockfile.lineage);
  const auto here = sightings_.lineage_here(stack_name(lockfile));
  const auto check = [&] {
    return check_sighting(path_, {lockfile.lineage, lockfile.serial, sha256_hex(text)}, newest,
                          here);
  };
  if (check()) return {};
  PAAS_TRY(text, read_text());
  PAAS_TRY(lockfile, decoded(text));
  return check();
}

/// Who wrote it may have been killed before it was flushed: what was seen must never be newer than
/// what there is, also after the power failed.
void FileStore::note_sighting(std::string_view text, const Lockfile& lockfile) {
  const auto newest = sightings_.newest(lockfile.lineage);
  if ((newest && newest->serial == lockfile.serial) || files_.flush(path_)) {
    remember(text, lockfile);
  }
}

void FileStore::remember(std::string_view text, const Lockfile& lockfile) {
  sightings_.remember({lockfile.lineage, lockfile.serial, sha256_hex(text)}, stack_name(lockfile));
}

Result<Lockfile> FileStore::start_anew() {
  const std::lock_guard lock(mutex_);
  warnings_.clear();
  is_anew_ = true;
  PAAS_TRY(last_text_, read_text());
  PAAS_TRY(const auto info, files_.info(path_));
  replaced_path_.clear();
  if (info) {
    PAAS_TRY(replaced_path_, free_path());
  }
  key_.reset();
  last_serial_ = 0;
  seen_serial_ = 0;
  doubtful_text_.reset();
  backed_up_ = false;
  Lockfile lockfile;
  lockfile.lineage = text::hex(random_.bytes(lineage_bytes));
  return lockfile;
}

/// A name beside the lockfile that nothing has: what was kept once is never replaced.
Result<std::string> FileStore::free_path() {
  auto time = text::replace_all(text::timestamp(clock_.now()), "-", "");
  const auto stem = fmt::format("{}.replaced-{}", path_, text::replace_all(time, ":", ""));
  auto path = stem;
  for (int number = 2;; ++number) {
    PAAS_TRY(const auto taken, files_.info(path));
    if (!taken) return path;
    path = fmt::format("{}-{}", stem, number);
  }
}

Status FileStore::save(Lockfile& lockfile) {
  const std::lock_guard lock(mutex_);
  PAAS_TRY(const auto current, read_unchanged());
  if (lockfile.serial != last_serial_) {
    return fail(ErrorKind::failed,
                fmt::format("{} was saved with serial {} since this copy (serial {}) was read",
                            path_, last_serial_, lockfile.serial));
  }
  PAAS_TRY(const auto key, key_of(lockfile.lineage, current));
  auto next = lockfile;
  next.serial = std::max(last_serial_ + (current == last_text_ ? 1 : 2), seen_serial_ + 1);
  PAAS_TRY(auto text, encode(next, key, random_, current));
  // A text that could not be read again must never replace one that can.
  if (const auto read_back = decode(text, key); !read_back) {
    return fail(read_back.error(), "checking what is to be stored in " + path_);
  }
  PAAS_CHECK(back_up(current));
  auto written = files_.write_atomically(path_, text, private_mode);
  if (!written) {
    doubtful_text_ = std::move(text);
    return fail(std::move(written.error()), "storing " + path_);
  }
  last_text_ = std::move(text);
  last_serial_ = next.serial;
  doubtful_text_.reset();
  lockfile.serial = next.serial;
  // After the lockfile: what was seen must never be newer than what there is.
  remember(last_text_, lockfile);
  return {};
}

bool FileStore::exists() {
  const auto info = files_.info(path_);
  return info && info->has_value();
}

std::string FileStore::location() { return path_; }

std::vector<std::string> FileStore::warnings() {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

std::string FileStore::text() {
  const std::lock_guard lock(mutex_);
  return last_text_;
}

Key FileStore::key() {
  const std::lock_guard lock(mutex_);
  return key_.value_or(Key());
}

Result<std::string> FileStore::read_text() {
  PAAS_TRY(const auto info, files_.info(path_));
  if (!info) return std::string();
  if (info->kind != FileKind::regular) {
    // Replacing a link would leave what it names behind, unchanged and believed.
    return fail(ErrorKind::invalid, path_ + " is not a plain file",
                "put the lockfile itself there instead of a link to it");
  }
  if ((info->mode & others_mask) != 0 && warnings_.empty()) {
    warnings_.push_back(
        fmt::format("others may read {}; its secrets are sealed, but: chmod 600 {}", path_, path_));
  }
  PAAS_TRY(auto text, files_.read(path_));
  if (text.empty() && !is_anew_) {
    return fail(ErrorKind::invalid, path_ + " is empty",
                fmt::format("restore it from {} or from version control", backup_path()));
  }
  return text;
}

Result<std::string> FileStore::read_unchanged() {
  if (guard_.expired()) {
    return fail(ErrorKind::failed, "changing " + path_ + " without holding its guard");
  }
  PAAS_TRY(auto current, read_text());
  if (current == last_text_ || (doubtful_text_ && current == *doubtful_text_)) return current;
  return fail(ErrorKind::failed,
              fmt::format("{} was replaced since it was read: it has {} now and had {}", path_,
                          version_of(current), version_of(last_text_)),
              "nothing was overwritten; run the command again");
}

Result<Key> FileStore::key_of(const std::string& lineage, std::string_view current) {
  if (!key_) {
    // The first save: until then a run that only looks leaves nothing behind.
    auto key = current.empty() || is_anew_ ? create_key(files_, environment_, random_, lineage)
                                           : load_key(files_, environment_, lineage);
    if (!key) return key;
    key_ = std::move(*key);
  }
  return *key_;
}

Status FileStore::back_up(std::string_view current) {
  if (backed_up_) return {};
  // Nothing before this run: nothing to go back to, also not to this run's own first save.
  if (!current.empty()) {
    const auto path = replaced_path_.empty() ? backup_path() : replaced_path_;
    PAAS_CHECK(files_.write_atomically(path, current, private_mode));
  }
  backed_up_ = true;
  return {};
}

}  // namespace paas::lockfile
