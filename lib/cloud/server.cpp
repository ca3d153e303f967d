// cpp-httplib's server around the service, with a pool of threads that grows with its clients.
#include "cloud/server.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "cloud/connection.hpp"

namespace paas::cloud {
namespace {

/// A connection has a thread for as long as it is open, idle or not.
constexpr std::size_t max_threads = 1024;
/// Short, because each has a thread.
constexpr std::chrono::seconds keep_alive{4};
constexpr std::size_t max_requests_a_connection = 100'000;
/// For a client that sends half a request, or takes nothing of its answer.
constexpr std::chrono::seconds patience{5};
constexpr int max_waiting_connections = 1024;
/// Of a body that is too large anyway.
constexpr std::uint64_t max_skipped_bytes = 64 * 1024 * 1024;

/// Starts a thread whenever none is idle, so that clients which only keep their connection open
/// never stand in the way of others.
class GrowingPool : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> task) override {
    const std::lock_guard guard(mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() > idle_ && threads_.size() < max_threads) {
      threads_.emplace_back([this] { work(); });
    }
    changed_.notify_one();
  }

  void shutdown() override {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void work() {
    std::unique_lock guard(mutex_);
    while (true) {
      ++idle_;
      changed_.wait(guard, [&] { return stopping_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      guard.unlock();
      task();
      guard.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

/// What a Host header may look like before it is put into links.
bool is_host(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char character) {
    return std::isalnum(character) != 0 ||
           std::string_view(".-:[]_").find(static_cast<char>(character)) != std::string_view::npos;
  });
}

/// The library's server on connections of our own, which its handlers find again by the request.
class ConnectionServer : public httplib::Server {
 public:
  /// Ends the listening, and what waits for a client.
  void end() {
    stop_.raise();
    stop();
  }

  /// What a request came over, for the handler that is at work on it.
  Connection& connection_of(const httplib::Request& request) {
    const std::lock_guard guard(mutex_);
    return *connections_.at(&request);
  }

 private:
  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket, stop_, patience);
    bool open = true;
    while (open && connection.await_request(keep_alive)) {
      const httplib::Request* known = nullptr;
      bool closed = false;
      open = process_request(connection, false, closed,
                             [&](httplib::Request& request) {
                               const std::lock_guard guard(mutex_);
                               connections_[&request] = &connection;
                               known = &request;
                             }) &&
             !closed;
      // Of a request that cannot be read nobody knows where it ends.
      open = open && known != nullptr && !connection.is_last();
      const std::lock_guard guard(mutex_);
      connections_.erase(known);
    }
    return open;
  }

  StopSignal stop_;
  std::mutex mutex_;
  std::map<const httplib::Request*, Connection*> connections_;
};

class HttplibServer : public Server {
 public:
  HttplibServer(Service& service, ServerOptions options)
      : service_(service), options_(std::move(options)) {}

  ~HttplibServer() override {
    server_.end();
    if (listener_.joinable()) listener_.join();
  }

  HttplibServer(const HttplibServer&) = delete;
  HttplibServer& operator=(const HttplibServer&) = delete;

  Status start() {
    configure();
    const auto& host = options_.host;
    port_ = options_.port;
    if (port_ == 0) {
      port_ = server_.bind_to_any_port(host);
    } else if (!server_.bind_to_port(host, port_)) {
      port_ = -1;
    }
    if (port_ <= 0) {
      return fail(ErrorKind::failed, fmt::format("cannot listen on {}:{}", host, options_.port),
                  "Is the address one of this machine's, and the port free?");
    }
    // The library lets five connections wait to be accepted. Asking again raises that.
    ::listen(socket_, max_waiting_connections);
    listener_ = std::thread([this] { server_.listen_after_bind(); });
    // Its end may be asked for at once, which the library only hears when it has begun.
    while (!server_.is_running()) std::this_thread::yield();
    return {};
  }

  int port() const override { return port_; }
  std::string url() const override { return fmt::format("http://{}:{}", options_.host, port_); }

 private:
  void configure() {
    server_.new_task_queue = [] { return new GrowingPool; };
    server_.set_socket_options([this](socket_t socket) {
      socket_ = socket;
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_tcp_nodelay(true);
    // The library tells clients so.
    server_.set_keep_alive_timeout(keep_alive.count());
    server_.set_keep_alive_max_count(max_requests_a_connection);
    server_.set_payload_max_length(max_body_bytes);
    // Requests without a body are answered here: the library waits for one with POST and DELETE,
    // until the connection ends, when they say nothing of its length.
    server_.set_pre_routing_handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          const auto length = length_of(request);
          auto& connection = server_.connection_of(request);
          if (!length || *length > max_body_bytes) {
            // Who still writes would see the connection's end instead of the answer.
            const bool is_read = length && *length <= max_skipped_bytes && connection.skip(*length);
            if (!is_read) connection.end_after_answer();
            fill(response, service_.refuse(translate(request), length ? 413 : 400));
            return httplib::Server::HandlerResponse::Handled;
          }
          const bool is_look = request.method == "GET" || request.method == "HEAD";
          if (!is_look && (*length > 0 || request.has_header("Transfer-Encoding"))) {
            return httplib::Server::HandlerResponse::Unhandled;
          }
          // The library leaves a body there, and takes it for the next request.
          const bool is_read = !request.has_header("Transfer-Encoding") && connection.skip(*length);
          if (!is_read) connection.end_after_answer();
          answer(request, response);
          return httplib::Server::HandlerResponse::Handled;
        });
    const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    server_.Post(".*", handler);
    server_.Put(".*", handler);
    server_.Patch(".*", handler);
    server_.Delete(".*", handler);
    server_.Options(".*", handler);
    // For what the library itself refuses, like a body that is too large.
    server_.set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (response.has_header("x-request-id")) return;
      fill(response, service_.refuse(translate(request), response.status));
    });
  }

  /// How many bytes follow by the request's own words; 0 when it has none. Nothing when they make
  /// no sense.
  static std::optional<std::uint64_t> length_of(const httplib::Request& request) {
    if (!request.has_header("Content-Length")) return 0;
    const auto number = text::to_integer(request.get_header_value("Content-Length"));
    if (request.get_header_value_count("Content-Length") > 1 || !number || *number < 0) {
      return std::nullopt;
    }
    return static_cast<std::uint64_t>(*number);
  }

  std::string new_request_id() {
    const auto number = ++requests_;
    return fmt::format("{:08x}-0000-4000-8000-{:012x}", port_, number);
  }

  Request translate(const httplib::Request& request) {
    Request translated;
    translated.method = request.method;
    translated.path = request.path;
    // The API takes "/v2/droplets/" for "/v2/droplets", which python3-digitalocean relies on.
    if (translated.path.size() > 1 && translated.path.back() == '/') translated.path.pop_back();
    for (const auto& [name, value] : request.params) translated.query[name] = value;
    translated.authorization = request.get_header_value("Authorization");
    translated.body = request.body;
    const auto host = request.get_header_value("Host");
    translated.base_url = is_host(host) ? "http://" + host : url();
    translated.request_id = new_request_id();
    return translated;
  }

  static void fill(httplib::Response& response, const Answer& answer) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    if (!answer.body.empty()) response.set_content(answer.body, answer.content_type);
  }

  /// Promises the whole body, and gives up after its first half.
  static void fill_half(httplib::Response& response, const Answer& answer) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    response.set_content_provider(answer.body.size(), answer.content_type,
                                  [part = answer.body.substr(0, answer.body.size() / 2)](
                                      std::size_t, std::size_t, httplib::DataSink& sink) {
                                    sink.write(part.data(), part.size());
                                    return false;
                                  });
  }

  void deliver(const httplib::Request& request, httplib::Response& response, const Answer& answer) {
    auto& connection = server_.connection_of(request);
    const auto delay = options_.latency + answer.delivery.delay;
    if (delay.count() > 0) connection.wait(delay);
    if (answer.delivery.end == Delivery::End::nothing) connection.cut();
    if (answer.delivery.end == Delivery::End::half) {
      fill_half(response, answer);
    } else {
      fill(response, answer);
    }
  }

  void answer(const httplib::Request& request, httplib::Response& response) {
    const bool for_metadata = options_.metadata == ServeMetadata::yes && request.method == "GET" &&
                              request.path.rfind("/metadata", 0) == 0;
    if (for_metadata) {
      const auto found = service_.metadata(request.remote_addr, request.path);
      response.status = found ? 200 : 404;
      response.set_header("x-request-id", new_request_id());
      response.set_content(found ? found->body : "not found\n",
                           (found ? found->content_type : "text/plain").c_str());
      return;
    }
    deliver(request, response, service_.handle(translate(request)));
  }

  Service& service_;
  ServerOptions options_;
  ConnectionServer server_;
  std::thread listener_;
  std::atomic<std::uint64_t> requests_{0};
  socket_t socket_ = -1;
  int port_ = -1;
};

}  // namespace

Result<std::unique_ptr<Server>> listen(Service& service, const ServerOptions& options) {
  auto server = std::make_unique<HttplibServer>(service, options);
  PAAS_CHECK(server->start());
  return server;
}

Result<ServerOptions> parse_address(const std::string& address) {
  const auto colon = address.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : text::to_integer(address.substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535 || colon == 0) {
    return fail(ErrorKind::usage, fmt::format("{} is not an address and a port", address),
                "Give it as 127.0.0.1:8080, or with port 0 for any free one.");
  }
  ServerOptions options;
  options.host = address.substr(0, colon);
  options.port = static_cast<int>(*port);
  return options;
}

}  // namespace paas::cloud
