// The core at work: requests one at a time, the state kept, effects carried out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cloud/core.hpp"
#include "cloud/dispatcher.hpp"
#include "cloud/machines.hpp"
#include "cloud/metadata.hpp"
#include "cloud/state.hpp"
#include "ports/clock.hpp"
#include "ports/files.hpp"

namespace paas::cloud {

struct ServiceOptions {
  std::string state_file;
  /// Ranges that the machine routes, asked for before a request that may make a VPC.
  std::function<std::vector<std::string>()> host_ranges;
  /// Lines about what failed in the world.
  std::function<void(const std::string& line)> log;
};

/// Safe to call from several threads. A request that changes something is answered when its change
/// is on disk, and only then are its effects begun: a killed process neither forgets what it
/// promised nor leaves machines that nobody knows of. Changes that wait together share one write.
class Service {
 public:
  Service(State state, World& world, Files& files, Clock& clock, ServiceOptions options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Takes up what an earlier process left, and follows the machines. Error: the state cannot be
  /// written.
  Status start();
  Answer handle(const Request& request);
  /// An error that the HTTP layer found, in the API's form.
  Answer refuse(const Request& request, int status);
  std::optional<MetadataAnswer> metadata(const std::string& source_address,
                                         const std::string& path);
  State state() const;
  /// Waits until no effect is outstanding; false when that takes longer.
  bool wait_until_idle(std::chrono::milliseconds timeout);
  /// Ends the effects that are being carried out, keeps the rest for the next process, and writes
  /// the state.
  Status stop();

 private:
  Surroundings surroundings(const std::string& path_of_request);
  /// Called with the mutex held: the change's number, for await_kept().
  std::uint64_t note_change(std::vector<Effect> effects);
  bool await_kept(std::uint64_t change);
  void on_done(const EffectDone& done);
  void on_machine_change(std::int64_t droplet_id, bool running);
  void keep_changes();

  World& world_;
  Files& files_;
  Clock& clock_;
  ServiceOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_;
  std::vector<Effect> held_back_;  ///< Until the change that asks for them is kept.
  std::uint64_t last_change_ = 0;
  std::uint64_t kept_change_ = 0;
  std::uint64_t failed_change_ = 0;  ///< The newest one that a failed write was to keep.
  std::string write_error_;
  bool stopping_ = false;
  bool watching_ = false;  ///< Only for the one that starts and stops.
  Dispatcher dispatcher_;
  std::thread keeper_;
};

}  // namespace paas::cloud
