// The HTTP port against a real HTTP/2 server over TLS. Skipped unless asked for: see run_http2.sh.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <future>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "system/curl_http.hpp"
#include "system/support/scratch_folder.hpp"

TEST_SUITE_BEGIN("http2" * doctest::skip());

namespace {

using paas::ErrorKind;
using paas::HttpRequest;
using paas::system::CurlHttp;
using Response = paas::Result<paas::HttpResponse>;

/// support/http2_server.py with a certificate of its own for 127.0.0.1.
class Http2Server {
 public:
  Http2Server() {
    const auto made =
        std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
                     "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout '" +
                     folder_.file("key") + "' -out '" + certificate() + "' 2>/dev/null")
                        .c_str());
    REQUIRE(made == 0);
    output_ = ::popen(("exec /usr/bin/python3 '" PAASCTL_TEST_DATA "/support/http2_server.py' '" +
                       certificate() + "' '" + folder_.file("key") + "'")
                          .c_str(),
                      "r");
    REQUIRE(output_ != nullptr);
    port_ = next_line();
    REQUIRE_FALSE(port_.empty());
  }
  // It ends when its output is closed.
  ~Http2Server() { ::pclose(output_); }
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  std::string certificate() const { return folder_.file("certificate"); }

  HttpRequest request(const std::string& method, const std::string& path) const {
    HttpRequest request;
    request.method = method;
    request.url = "https://127.0.0.1:" + port_ + path;
    request.timeout = std::chrono::seconds(10);
    return request;
  }

  /// What it is asked next: "CONNECTION PROTOCOL METHOD PATH"; "" when it has ended.
  std::string next_line() {
    std::array<char, 256> line{};
    if (std::fgets(line.data(), line.size(), output_) == nullptr) return {};
    return std::string(paas::text::trim(line.data()));
  }

  /// What it was asked until now and has not been told yet.
  std::vector<std::string> asked() {
    CurlHttp http({}, certificate());
    REQUIRE(http.send(request("GET", "/asked")));
    std::vector<std::string> lines;
    for (auto line = next_line(); !line.ends_with(" GET /asked"); line = next_line()) {
      REQUIRE_FALSE(line.empty());
      lines.push_back(line);
    }
    return lines;
  }

 private:
  paas::tests::ScratchFolder folder_;
  std::FILE* output_ = nullptr;
  std::string port_;
};

std::vector<std::future<Response>> send_all(CurlHttp& http,
                                            const std::vector<HttpRequest>& requests) {
  std::vector<std::future<Response>> started;
  for (const auto& request : requests) {
    started.push_back(std::async(std::launch::async, [&] { return http.send(request); }));
  }
  return started;
}

int status_got(const Response& response) {
  if (!response) MESSAGE(paas::describe(response.error()));
  return response ? response->status : 0;
}

TEST_CASE("system: requests under way at once share one connection with HTTP/2") {
  Http2Server server;
  CurlHttp http({}, server.certificate());
  const std::vector<HttpRequest> requests(8, server.request("GET", "/together/8"));
  for (auto& response : send_all(http, requests)) CHECK(status_got(response.get()) == 200);
  CHECK(server.asked() == std::vector<std::string>(8, "1 h2 GET /together/8"));
}

TEST_CASE(
    "system: a POST has a connection of its own, and after it the others still share theirs") {
  Http2Server server;
  CurlHttp http({}, server.certificate());
  CHECK(status_got(http.send(server.request("GET", "/"))) == 200);
  for (const std::string method : {"POST", "PATCH"}) {
    auto change = server.request(method, "/v2/droplets");
    change.body = "{}";
    CHECK(status_got(http.send(change)) == 200);
  }
  const std::vector<HttpRequest> requests(8, server.request("GET", "/together/8"));
  for (auto& response : send_all(http, requests)) CHECK(status_got(response.get()) == 200);
  std::vector<std::string> expected(8, "1 h2 GET /together/8");
  expected.insert(expected.begin(),
                  {"1 h2 GET /", "2 http/1.1 POST /v2/droplets", "3 http/1.1 PATCH /v2/droplets"});
  CHECK(server.asked() == expected);
}

TEST_CASE("case 3: a POST is sent once when its connection is reset while others are under way") {
  Http2Server server;
  CurlHttp http({}, server.certificate());
  auto request = server.request("POST", "/cut");
  request.body = "{}";
  auto post = std::async(std::launch::async, [&] { return http.send(request); });
  const auto first = server.next_line();
  REQUIRE(first.ends_with(" POST /cut"));
  // The server resets the POST's connection when one of these arrives; libcurl may send those that
  // are lost with it again.
  const std::vector<HttpRequest> requests(4, server.request("GET", "/v2/droplets"));
  for (auto& response : send_all(http, requests)) CHECK(status_got(response.get()) == 200);
  const auto response = post.get();
  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::unreachable);
  for (const auto& line : server.asked()) CHECK(line.ends_with(" GET /v2/droplets"));
}

TEST_CASE("system: redirects over HTTP/2 are answers and are not followed") {
  Http2Server server;
  CurlHttp http({}, server.certificate());
  const auto response = http.send(server.request("GET", "/moved"));
  REQUIRE(response);
  CHECK(response->status == 302);
  CHECK(server.asked() == std::vector<std::string>{"1 h2 GET /moved"});
}

TEST_CASE("system: a server whose certificate nobody vouches for is sent nothing") {
  Http2Server server;
  CurlHttp http;
  const auto response = http.send(server.request("GET", "/"));
  REQUIRE_FALSE(response);
  CHECK(response.error().kind == ErrorKind::unreachable);
  CHECK(response.error().message.find("is not who it says") != std::string::npos);
  CHECK(server.asked().empty());
}

}  // namespace

TEST_SUITE_END();
