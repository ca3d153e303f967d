// Serves with cpp-httplib on a free port of the loopback.
#include "haproxy/support/web_server.hpp"

#include <chrono>
#include <utility>

namespace paas::haproxy::test {

WebServer::WebServer(std::string name, std::string health_path)
    : name_(std::move(name)), health_path_(std::move(health_path)) {
  server_.new_task_queue = [] { return new httplib::ThreadPool(16); };
  server_.Get("/health[a-z]*",
              [this](const httplib::Request& request, httplib::Response& response) {
                if (request.path != health_path_) {
                  response.status = 404;
                  return;
                }
                ++checks;
                const std::lock_guard guard(mutex_);
                check_host_ = request.get_header_value("Host");
                response.status = health_status;
              });
  const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
    answer(request, response);
  };
  server_.Get(".*", handler);
  server_.Post(".*", handler);
  port_ = server_.bind_to_any_port("127.0.0.1");
  thread_ = std::thread([this] { server_.listen_after_bind(); });
  while (!server_.is_running()) std::this_thread::yield();
}

WebServer::~WebServer() {
  server_.stop();
  thread_.join();
}

std::string WebServer::check_host() const {
  const std::lock_guard guard(mutex_);
  return check_host_;
}

/// The server's name, the request's body and the headers that the load balancer sets, a line each.
void WebServer::answer(const httplib::Request& request, httplib::Response& response) {
  ++requests;
  if (request.method == "POST") ++posts;
  if (request.path.starts_with("/slow")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(slow_ms));
  }
  std::string text = name_ + "\n" + request.body + "\n";
  for (const auto& [key, value] : request.headers) {
    if (key.starts_with("X-") || key.starts_with("x-")) text += key + ": " + value + "\n";
  }
  if (request.path == "/login") {
    response.set_header("Set-Cookie",
                        "SESSION=" + name_ + "-" + std::to_string(requests) + "; Path=/");
  }
  response.set_content(text, "text/plain");
}

}  // namespace paas::haproxy::test
