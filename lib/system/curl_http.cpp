// Implementation of the shared loop, and of requests that are moved alone, by their callers'
// threads.
#include "system/curl_http.hpp"

#include <curl/curl.h>

#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "system/curl_exchange.hpp"

namespace paas::system {
namespace {

/// Idle connections kept for later requests: one for each of many servers' forwarded sockets.
constexpr long kept_connections = 256;
/// Only a lost wake-up makes a loop wait as long as this.
constexpr int poll_timeout_ms = 1000;

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using Multi = std::unique_ptr<CURLM, FreeMulti>;

Multi make_multi() {
  Multi multi(curl_multi_init());
  curl_multi_setopt(multi.get(), CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, kept_connections);
  return multi;
}

Error stopped_error() { return make_error(ErrorKind::interrupted, "interrupted"); }

/// Moves one exchange on the calling thread until it is done.
Result<HttpResponse> perform_alone(CurlExchange& exchange, const std::stop_token& stop) {
  const Multi multi = make_multi();
  const std::stop_callback wake(stop, [&multi] { curl_multi_wakeup(multi.get()); });
  curl_multi_add_handle(multi.get(), exchange.handle());
  std::optional<CURLcode> code;
  while (!stop.stop_requested()) {
    int running = 0;
    int left = 0;
    curl_multi_perform(multi.get(), &running);
    if (const auto* message = curl_multi_info_read(multi.get(), &left)) {
      code = message->data.result;
      break;
    }
    curl_multi_poll(multi.get(), nullptr, 0, poll_timeout_ms, nullptr);
  }
  curl_multi_remove_handle(multi.get(), exchange.handle());
  return code ? exchange.finish(*code) : fail(stopped_error());
}

}  // namespace

/// The thread that moves all requests that may share connections.
class CurlHttp::Loop {
 public:
  explicit Loop(std::stop_token stop) : stop_(std::move(stop)), wake_(stop_, Wake{this}) {}

  ~Loop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      curl_multi_wakeup(multi_.get());
      thread_.join();
    }
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<HttpResponse> perform(CurlExchange& exchange) {
    Waiting waiting{&exchange, {}};
    auto result = waiting.result.get_future();
    {
      const std::scoped_lock lock(mutex_);
      submitted_.push_back(&waiting);
      // Started by the first request: a command that sends none does not pay for it.
      if (!thread_.joinable()) {
        thread_ = std::jthread([this](const std::stop_token& end) { run(end); });
      }
    }
    curl_multi_wakeup(multi_.get());
    return result.get();
  }

 private:
  /// A request whose caller waits; it lives on the caller's stack until its result is set.
  struct Waiting {
    CurlExchange* exchange;
    std::promise<Result<HttpResponse>> result;
  };
  struct Wake {
    Loop* loop;
    void operator()() const noexcept { curl_multi_wakeup(loop->multi_.get()); }
  };

  void run(const std::stop_token& end) {
    while (!end.stop_requested() && !stop_.stop_requested()) {
      add_submitted();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      finish_done();
      curl_multi_poll(multi_.get(), nullptr, 0, poll_timeout_ms, nullptr);
    }
    // Stopped: everything that waits, and everything that comes later, is refused.
    while (!end.stop_requested() || !running_.empty()) {
      for (const auto& [handle, waiting] : running_) {
        curl_multi_remove_handle(multi_.get(), handle);
        waiting->result.set_value(fail(stopped_error()));
      }
      running_.clear();
      {
        const std::scoped_lock lock(mutex_);
        for (auto* waiting : submitted_) waiting->result.set_value(fail(stopped_error()));
        submitted_.clear();
      }
      if (!end.stop_requested()) {
        curl_multi_poll(multi_.get(), nullptr, 0, poll_timeout_ms, nullptr);
      }
    }
  }

  void add_submitted() {
    const std::scoped_lock lock(mutex_);
    for (auto* waiting : submitted_) {
      curl_multi_add_handle(multi_.get(), waiting->exchange->handle());
      running_.emplace(waiting->exchange->handle(), waiting);
    }
    submitted_.clear();
  }

  void finish_done() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi_.get(), &left)) {
      const auto found = running_.find(message->easy_handle);
      const auto code = message->data.result;
      auto* waiting = found->second;
      curl_multi_remove_handle(multi_.get(), found->first);
      running_.erase(found);
      waiting->result.set_value(waiting->exchange->finish(code));
    }
  }

  std::stop_token stop_;
  Multi multi_ = make_multi();
  std::mutex mutex_;
  std::deque<Waiting*> submitted_;
  std::map<CURL*, Waiting*> running_;  ///< Touched by the thread only.
  std::stop_callback<Wake> wake_;
  std::jthread thread_;
};

// libcurl sets itself up with its first handle, safely from any thread since 7.84.
CurlHttp::CurlHttp(std::stop_token stop, std::string authorities_file)
    : stop_(std::move(stop)),
      authorities_file_(std::move(authorities_file)),
      loop_(std::make_unique<Loop>(stop_)) {}

CurlHttp::~CurlHttp() = default;

Result<HttpResponse> CurlHttp::send(const HttpRequest& request) {
  if (stop_.stop_requested()) return fail(stopped_error());
  CurlExchange exchange(request, authorities_file_);
  return exchange.may_share_connections() ? loop_->perform(exchange)
                                          : perform_alone(exchange, stop_);
}

}  // namespace paas::system
