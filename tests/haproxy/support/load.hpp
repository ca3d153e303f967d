// Loops of requests through the load balancer: GET and POST, on kept connections and on new ones,
// some of them slow.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace paas::haproxy::test {

struct Tally {
  int requests = 0;
  int posts = 0;
  std::vector<std::string> failures;
  std::map<std::string, int> by_server;
};

class Load {
 public:
  explicit Load(int port);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Tally tally() const;
  /// Lets the requests under way end.
  Tally stop();

 private:
  enum class Keep { no, yes };
  struct Loop {
    std::string method;
    std::string path;
    Keep keep;
  };
  void run(const Loop& loop);

  int port_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  Tally tally_;
  std::vector<std::thread> threads_;
};

}  // namespace paas::haproxy::test
