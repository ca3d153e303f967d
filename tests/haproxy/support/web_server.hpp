// A web program to stand behind the load balancer: says its name, counts, and can be made to fail
// its checks.
#pragma once

#include <httplib.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

namespace paas::haproxy::test {

class WebServer {
 public:
  /// Asked at another path below "/health", it answers that there is nothing.
  explicit WebServer(std::string name, std::string health_path = "/healthz");
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  int port() const { return port_; }
  const std::string& name() const { return name_; }

  std::atomic<int> health_status{200};
  std::atomic<int> requests{0};  ///< Without health checks.
  std::atomic<int> posts{0};
  std::atomic<int> checks{0};
  /// How long an answer to /slow takes.
  std::atomic<int> slow_ms{300};
  /// What the last check said was its Host.
  std::string check_host() const;

 private:
  void answer(const httplib::Request& request, httplib::Response& response);

  std::string name_;
  std::string health_path_;
  httplib::Server server_;
  int port_ = 0;
  std::string check_host_;
  mutable std::mutex mutex_;
  std::thread thread_;
};

}  // namespace paas::haproxy::test
