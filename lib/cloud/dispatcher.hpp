// Hands effects to the world, several side by side, each behind those that it has to follow.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
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
  using Queue = std::list<Waiting>;

  void work();
  /// Waits until an effect is ready, or everything is to stop.
  Queue::iterator await_ready(std::unique_lock<std::mutex>& guard);
  /// The first waiting effect that nothing stands before, or the end of the list. `next_due`
  /// becomes the time when there may be another one.
  Queue::iterator next_ready(Time& next_due);
  void add(Effect effect, Time due);
  /// Takes out one that is the first of its key.
  Effect take(Queue::iterator ready);
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
  Queue waiting_;  ///< In the order in which they were submitted.
  std::unordered_map<std::int64_t, Queue::iterator> waiting_by_id_;
  std::unordered_map<std::string, std::deque<Queue::iterator>> waiting_by_key_;  ///< None is empty.
  std::set<std::int64_t> unfinished_;  ///< Waiting or being carried out.
  std::set<std::string> busy_keys_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace paas::cloud
