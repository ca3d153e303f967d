// Where a lockfile lives: read it, replace it if nobody else did, one run at a time.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "lockfile/model.hpp"
#include "lockfile/seal.hpp"
#include "lockfile/sighting.hpp"
#include "ports/clock.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"
#include "ports/random.hpp"

namespace paas::lockfile {

/// This machine's; "unknown" when it has none.
std::string host_name();

/// The guard of a run: others exit with 75 while it lives.
class Guard {
 public:
  virtual ~Guard() = default;
};

class Store {
 public:
  virtual ~Store() = default;
  /// Error guard_held: message names the holder ("pid 812 on host web, paasctl up, since
  /// 12:03:11Z").
  virtual Result<std::unique_ptr<Guard>> acquire(const std::string& command) = 0;
  /// A fresh lockfile with a new lineage (not stored yet) when there is none.
  virtual Result<Lockfile> load() = 0;
  /// Stores with serial + 1, compare-and-swap on the serial that was loaded: error `failed` when
  /// somebody else replaced it. On success `lockfile.serial` is the new one. Flushed when it
  /// returns.
  virtual Status save(Lockfile& lockfile) = 0;
  virtual bool exists() = 0;
  /// For messages.
  virtual std::string location() = 0;
  /// What the last load() found that is no error but should be put right.
  virtual std::vector<std::string> warnings() { return {}; }
};

/// A file (0600) beside the stack file: paas.yaml -> paas.lock, guard paas.lock.guard, backup of
/// the text before this run paas.lock.backup. The guard's file is never removed or replaced: two
/// processes could otherwise hold guards of two files of one name. save() needs the
/// guard. Safe to use from several threads.
class FileStore : public Store {
 public:
  FileStore(Files& files, Environment& environment, Random& random, Clock& clock,
            std::string lock_path);
  Result<std::unique_ptr<Guard>> acquire(const std::string& command) override;
  /// Error (invalid) also for a lockfile that is older than one which was seen on this machine, or
  /// another one than before (check_sighting).
  Result<Lockfile> load() override;
  /// load() without that: what was seen does not count. The next save has a serial above all that
  /// was seen, so that it is the newest from then on.
  Result<Lockfile> load_any();
  /// A fresh lockfile for the place of whatever is there, readable or not. The next save keeps that
  /// at replaced_path() and leaves the backup alone. Needs the guard.
  Result<Lockfile> start_anew();
  /// Empty when there was nothing to be replaced.
  const std::string& replaced_path() const { return replaced_path_; }
  Status save(Lockfile& lockfile) override;
  bool exists() override;
  std::string location() override;
  std::vector<std::string> warnings() override;
  /// The text as it was read or stored last; empty when there was none.
  std::string text();
  /// The key that opened it; empty when there was none.
  Key key();

 private:
  enum class Sighted { demand, ignore };

  std::string guard_path() const { return path_ + ".guard"; }
  std::string backup_path() const { return path_ + ".backup"; }
  Result<Lockfile> load(Sighted sighted);
  /// The text's values; its key becomes key_.
  Result<Lockfile> decoded(std::string_view text);
  /// Reads once more if need be: another run may have stored a newer text, and said so, meanwhile.
  Status demand_sighted(std::string& text, Lockfile& lockfile);
  void note_sighting(std::string_view text, const Lockfile& lockfile);
  void remember(std::string_view text, const Lockfile& lockfile);
  Result<std::string> free_path();
  /// The text on disk; empty when there is no file.
  Result<std::string> read_text();
  /// The text on disk, when it is what this store read or wrote last and the guard is held.
  Result<std::string> read_unchanged();
  Result<Key> key_of(const std::string& lineage, std::string_view current);
  Status back_up(std::string_view current);

  Files& files_;
  Environment& environment_;
  Random& random_;
  Clock& clock_;
  std::string path_;
  Sightings sightings_;
  std::mutex mutex_;
  std::weak_ptr<FileGuard> guard_;
  std::string last_text_;  ///< As read or written last; empty: there was no file.
  std::int64_t last_serial_ = 0;
  std::int64_t seen_serial_ = 0;  ///< The highest of the lineage that was seen here.
  bool is_anew_ = false;          ///< What is there is to be replaced by another lineage.
  std::string replaced_path_;
  /// A write that failed may have replaced the file nevertheless, when only the last flush failed.
  std::optional<std::string> doubtful_text_;
  std::optional<Key> key_;
  std::vector<std::string> warnings_;
  bool backed_up_ = false;
};

}  // namespace paas::lockfile
