// Hands effects to the world, several side by side, each behind those that it has to follow.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "cloud/effect.hpp"
#include "cloud/machines.hpp"

namespace paas::cloud {

class Dispatcher {
 public:
  /// `on_done` is called on a worker's thread and may submit more.
  Dispatcher(World& world, std::function<void(const EffectDone&)> on_done, int workers = 8);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// One that waits already, held back by a fault, takes the place of what it was.
  void submit(std::vector<Effect> effects);
  /// Waits for what runs; what was not begun is dropped. Nothing is carried out afterwards.
  void stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Waiting {
    Effect effect;
    Time due;  ///< Not begun before.
  };

  void work();
  /// Waits until an effect is ready, or everything is to stop.
  std::list<Waiting>::iterator await_ready(std::unique_lock<std::mutex>& guard);
  /// The first waiting effect that nothing stands before, or the end of the list. `next_due`
  /// becomes the time when there may be another one.
  std::list<Waiting>::iterator next_ready(Time& next_due);
  /// Whether it was waiting, and is now as it is given here.
  bool let_go(const Effect& effect);
  /// What `effect` has to follow is not held back any longer.
  void hasten_before(const Effect& effect);
  /// Rules that later ones replace before they were put in force need not be.
  bool superseded(const Effect& effect) const;

  World& world_;
  std::function<void(const EffectDone&)> on_done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Waiting> waiting_;
  std::set<std::int64_t> unfinished_;  ///< Waiting or being carried out.
  std::set<std::string> busy_keys_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace paas::cloud
