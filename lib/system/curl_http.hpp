// HTTP with libcurl: requests share one loop and its connections, streams have loops of their own.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "ports/http.hpp"

namespace paas::system {

/// Requests without callbacks are moved by one thread with one multi handle, so that they share
/// connections (kept alive; HTTP/2 where a server offers it). A request with body_source or on_body
/// is moved by its caller's thread, so that a slow callback holds up nobody else.
///
/// So is each POST and PATCH, with a connection that no other request uses before or after it, over
/// HTTP/1.1. libcurl silently repeats a request that got no answer when its connection had been
/// used before, or when another request joined it meanwhile (HTTP/2), and repeating a creation
/// would make a second one. A handle of its own also keeps libcurl from taking the whole server for
/// one without HTTP/2, which it does after an answer over HTTP/1.1.
class CurlHttp : public Http {
 public:
  /// A stop ends running requests, and refuses later ones, with Error interrupted. A file of
  /// authorities' certificates in PEM is trusted beside the system's folder of them; "": what the
  /// system trusts. One that cannot be read makes https unreachable.
  explicit CurlHttp(std::stop_token stop = {}, std::string authorities_file = {});
  ~CurlHttp() override;
  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  Result<HttpResponse> send(const HttpRequest& request) override;

 private:
  class Loop;
  std::stop_token stop_;
  std::string authorities_file_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace paas::system
