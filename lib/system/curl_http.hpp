// HTTP with libcurl: requests share one loop and its connections, streams have loops of their own.
#pragma once

#include <memory>
#include <stop_token>

#include "ports/http.hpp"

namespace paas::system {

/// Requests without callbacks are moved by one thread with one multi handle, so that they share
/// connections (kept alive; HTTP/2 where a server offers it). A request with body_source or on_body
/// is moved by its caller's thread, so that a slow callback holds up nobody else.
///
/// POST and PATCH always use a fresh connection: libcurl silently repeats a request whose reused
/// connection turns out to be dead, and repeating a creation would make a second one.
class CurlHttp : public Http {
 public:
  /// A stop ends running requests, and refuses later ones, with Error interrupted.
  explicit CurlHttp(std::stop_token stop = {});
  ~CurlHttp() override;
  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  Result<HttpResponse> send(const HttpRequest& request) override;

 private:
  class Loop;
  std::stop_token stop_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace paas::system
