// The HTTP port against a server on loopback that answers well and badly.
#include "system/curl_http.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>
#include <vector>

#include "system/support/loopback_server.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

using paas::ErrorKind;
using paas::HttpRequest;
using paas::system::CurlHttp;
using paas::tests::LoopbackServer;
using paas::tests::Peer;
using paas::tests::ReceivedRequest;
using std::chrono::milliseconds;

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

void echo(const ReceivedRequest& request, Peer& peer) {
  peer.answer(200, request.method + " " + request.target + " " + request.body);
}

/// A port of this machine on which nothing listens.
int closed_port() {
  const paas::system::Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(socket.get(), generic, length) == 0);
  REQUIRE(::getsockname(socket.get(), generic, &length) == 0);
  return ntohs(address.sin_port);
}

TEST_CASE("system: an answer has its status, headers in lower case and body") {
  LoopbackServer server([](const ReceivedRequest& request, Peer& peer) {
    peer.answer(201, "said " + request.headers.at("x-token"), "RateLimit-Remaining: 7\r\n");
  });
  CurlHttp http;
  auto request = get(server.url("/v2/droplets?page=2"));
  request.headers = {{"X-Token", "abc"}};
  const auto response = http.send(request);
  REQUIRE(response.has_value());
  CHECK(response->status == 201);
  CHECK(response->headers.at("ratelimit-remaining") == "7");
  CHECK(response->body == "said abc");
}

TEST_CASE("system: methods, bodies and headers are sent as they are given") {
  std::vector<ReceivedRequest> received;
  LoopbackServer server([&received](const ReceivedRequest& request, Peer& peer) {
    received.push_back(request);
    peer.answer(200, "");
  });
  CurlHttp http;
  for (const std::string method : {"POST", "PUT", "DELETE", "GET"}) {
    auto request = get(server.url("/x"));
    request.method = method;
    if (method == "POST") {
      request.body = std::string("{\"a\":\0}", 7);
      request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    }
    REQUIRE(http.send(request).has_value());
  }
  REQUIRE(received.size() == 4);
  CHECK(received[0].method == "POST");
  CHECK(received[0].body == std::string("{\"a\":\0}", 7));
  CHECK(received[0].headers.at("content-type") == "application/json");
  CHECK(received[0].headers.at("x-empty").empty());
  CHECK_FALSE(received[0].headers.contains("expect"));
  CHECK(received[1].method == "PUT");
  CHECK(received[1].headers.at("content-length") == "0");
  CHECK_FALSE(received[1].headers.contains("content-type"));
  CHECK(received[2].method == "DELETE");
  CHECK(received[3].method == "GET");
}

TEST_CASE("system: a HEAD request ends without a body") {
  LoopbackServer server([](const ReceivedRequest&, Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  });
  CurlHttp http;
  auto request = get(server.url("/"));
  request.method = "HEAD";
  const auto response = http.send(request);
  REQUIRE(response.has_value());
  CHECK(response->headers.at("content-length") == "1000");
  CHECK(response->body.empty());
}

TEST_CASE("system: requests reuse a connection that is kept alive") {
  LoopbackServer server(echo);
  CurlHttp http;
  for (int i = 0; i < 20; ++i) REQUIRE(http.send(get(server.url("/"))).has_value());
  CHECK(server.requests() == 20);
  CHECK(server.connections() == 1);
}

TEST_CASE("system: a POST is not repeated when a kept connection turns out to be dead") {
  std::atomic<int> posts = 0;
  LoopbackServer server([&posts](const ReceivedRequest& request, Peer& peer) {
    if (request.method == "POST") {
      ++posts;
      peer.cut();
    } else {
      peer.answer(200, "");
    }
  });
  CurlHttp http;
  REQUIRE(http.send(get(server.url("/"))).has_value());
  auto request = get(server.url("/v2/droplets"));
  request.method = "POST";
  const auto response = http.send(request);
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::unreachable);
  CHECK(posts == 1);
}

TEST_CASE("system: redirects are answers and are not followed") {
  LoopbackServer server([](const ReceivedRequest&, Peer& peer) {
    peer.answer(302, "", "Location: http://127.0.0.1:1/elsewhere\r\n");
  });
  CurlHttp http;
  const auto response = http.send(get(server.url("/")));
  REQUIRE(response.has_value());
  CHECK(response->status == 302);
}

/// The address of a server on loopback in a form that does not say so, and with another scheme.
std::string disguised(const LoopbackServer& server, const std::string& scheme) {
  const auto url = server.url("/v2/account");
  return scheme + "://2130706433" + url.substr(url.rfind(':'));
}

TEST_CASE("system: a proxy from the environment gets no request that it could read") {
  LoopbackServer proxy([](const ReceivedRequest&, Peer& peer) { peer.answer(403, "no"); });
  LoopbackServer server(echo);
  for (const char* name : {"no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  ::setenv("http_proxy", proxy.url("").c_str(), 1);
  ::setenv("https_proxy", proxy.url("").c_str(), 1);
  CurlHttp http;
  auto request = get(disguised(server, "http"));
  request.headers = {{"Authorization", "Bearer canary"}};
  const auto response = http.send(request);
  const auto plain_requests_to_proxy = proxy.requests();
  // It is the proxy's where TLS hides the request from it.
  CHECK_FALSE(http.send(get(disguised(server, "https"))).has_value());
  ::unsetenv("http_proxy");
  ::unsetenv("https_proxy");
  REQUIRE(response.has_value());
  CHECK(response->body == "GET /v2/account ");
  CHECK(plain_requests_to_proxy == 0);
  CHECK(proxy.requests() == 1);
}

TEST_CASE("system: a refused connection is unreachable and names the address") {
  CurlHttp http;
  const auto port = std::to_string(closed_port());
  const auto response = http.send(get("http://user:password@127.0.0.1:" + port + "/path?key=1"));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::unreachable);
  CHECK(response.error().message ==
        "cannot reach http://127.0.0.1:" + port + ": Connection refused");
}

TEST_CASE("system: an answer that is cut in the middle of its body is unreachable") {
  LoopbackServer server([](const ReceivedRequest&, Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"droplets\":[");
    peer.cut();
  });
  CurlHttp http;
  const auto response = http.send(get(server.url("/")));
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::unreachable);
}

TEST_CASE("system: what is not an HTTP address is invalid") {
  CurlHttp http;
  for (const std::string url : {"file:///etc/hostname", "ftp://127.0.0.1/", "http://"}) {
    const auto response = http.send(get(url));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("system: an answer that does not come times out") {
  LoopbackServer server([](const ReceivedRequest&, Peer& peer) { peer.await_close(); });
  CurlHttp http;
  auto request = get(server.url("/"));
  request.timeout = milliseconds(100);
  SUBCASE("collected") {}
  SUBCASE("streamed") {
    request.on_body = [](std::string_view) { return paas::Status{}; };
  }
  const auto response = http.send(request);
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::timed_out);
}

TEST_CASE("system: requests go over a unix socket, and a missing one is unreachable") {
  const paas::tests::ScratchFolder folder;
  LoopbackServer server(echo, folder.file("s"));
  CurlHttp http;
  auto request = get("http://docker/v1.40/info");
  request.unix_socket = folder.file("s");
  for (int i = 0; i < 3; ++i) {
    const auto response = http.send(request);
    REQUIRE(response.has_value());
    CHECK(response->body == "GET /v1.40/info ");
  }
  CHECK(server.connections() == 1);
  request.unix_socket = folder.file("missing");
  const auto response = http.send(request);
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::unreachable);
  CHECK(response.error().message.find(folder.file("missing")) != std::string::npos);
}

TEST_CASE("system: two unix sockets of one host name are not mixed up") {
  const paas::tests::ScratchFolder folder;
  LoopbackServer first([](const ReceivedRequest&, Peer& peer) { peer.answer(200, "first"); },
                       folder.file("1"));
  LoopbackServer second([](const ReceivedRequest&, Peer& peer) { peer.answer(200, "second"); },
                        folder.file("2"));
  CurlHttp http;
  for (int i = 0; i < 4; ++i) {
    auto request = get("http://docker/");
    request.unix_socket = folder.file(i % 2 == 0 ? "1" : "2");
    const auto response = http.send(request);
    REQUIRE(response.has_value());
    CHECK(response->body == (i % 2 == 0 ? "first" : "second"));
  }
}

TEST_CASE("system: a streamed upload arrives whole") {
  LoopbackServer server([](const ReceivedRequest& request, Peer& peer) {
    const auto chunked = request.headers.contains("transfer-encoding");
    peer.answer(200, (chunked ? "chunked " : "counted ") + std::to_string(request.body.size()));
  });
  CurlHttp http;
  constexpr std::size_t total = 5'000'000;
  std::size_t given = 0;
  auto request = get(server.url("/images/load"));
  request.method = "POST";
  request.body_source = [&given](std::size_t capacity) -> paas::Result<std::string> {
    // More than was asked for on purpose: it must not be lost.
    const auto part = std::min(capacity + 1000, total - given);
    given += part;
    return std::string(part, 'x');
  };
  SUBCASE("chunked") {
    const auto response = http.send(request);
    REQUIRE(response.has_value());
    CHECK(response->body == "chunked 5000000");
  }
  SUBCASE("with a length") {
    request.body_length = total;
    const auto response = http.send(request);
    REQUIRE(response.has_value());
    CHECK(response->body == "counted 5000000");
  }
  SUBCASE("one that ends early is an error") {
    request.body_length = total + 1;
    const auto response = http.send(request);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().kind == ErrorKind::failed);
    CHECK(response.error().message.find("5000000 of 5000001 bytes") != std::string::npos);
  }
}

TEST_CASE("system: a streamed answer comes in parts as they are sent") {
  std::promise<void> first_part_seen;
  LoopbackServer server([&](const ReceivedRequest&, Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    // The rest is sent only once the first part has been given out.
    first_part_seen.get_future().wait();
    peer.send("6\r\nsecond\r\n0\r\n\r\n");
  });
  CurlHttp http;
  std::vector<std::string> parts;
  auto request = get(server.url("/logs"));
  request.timeout = milliseconds(0);
  request.on_body = [&](std::string_view part) {
    parts.emplace_back(part);
    if (parts.size() == 1) first_part_seen.set_value();
    return paas::Status{};
  };
  const auto response = http.send(request);
  REQUIRE(response.has_value());
  CHECK(response->body.empty());
  CHECK(parts == std::vector<std::string>{"first", "second"});
}

TEST_CASE("system: the body of an error is collected although the answer is streamed") {
  LoopbackServer server([](const ReceivedRequest&, Peer& peer) { peer.answer(404, "no such"); });
  CurlHttp http;
  auto request = get(server.url("/"));
  request.on_body = [](std::string_view) -> paas::Status {
    return paas::fail(ErrorKind::failed, "called");
  };
  const auto response = http.send(request);
  REQUIRE(response.has_value());
  CHECK(response->status == 404);
  CHECK(response->body == "no such");
}

TEST_CASE("system: an error of a callback ends the request and is its result") {
  LoopbackServer server(echo);
  CurlHttp http;
  auto request = get(server.url("/"));
  SUBCASE("of the receiver") {
    request.on_body = [](std::string_view) -> paas::Status {
      return paas::fail(ErrorKind::invalid, "not an archive", "a hint");
    };
  }
  SUBCASE("of the source") {
    request.method = "POST";
    request.body_source = [](std::size_t) -> paas::Result<std::string> {
      return paas::fail(ErrorKind::invalid, "not an archive", "a hint");
    };
  }
  const auto response = http.send(request);
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::invalid);
  CHECK(response.error().message == "not an archive");
  CHECK(response.error().hint == "a hint");
}

TEST_CASE("system: 200 requests from threads at once all get their own answers") {
  LoopbackServer server(echo);
  CurlHttp http;
  std::atomic<int> right = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 200; ++i) {
      threads.emplace_back([&http, &server, &right, i] {
        const auto path = "/" + std::to_string(i);
        const auto response = http.send(get(server.url(path)));
        if (response && response->body == "GET " + path + " ") ++right;
      });
    }
  }
  CHECK(right == 200);
}

TEST_CASE("system: a slow stream holds up no other request") {
  LoopbackServer server(echo);
  CurlHttp http;
  std::promise<void> others_done;
  auto slow = get(server.url("/slow"));
  slow.on_body = [&others_done](std::string_view) {
    others_done.get_future().wait();
    return paas::Status{};
  };
  auto result = std::async(std::launch::async, [&] { return http.send(slow); });
  for (int i = 0; i < 5; ++i) CHECK(http.send(get(server.url("/"))).has_value());
  others_done.set_value();
  CHECK(result.get().has_value());
}

TEST_CASE("system: a stop ends running requests at once and refuses later ones") {
  std::promise<void> arrived;
  LoopbackServer server([&arrived](const ReceivedRequest&, Peer& peer) {
    arrived.set_value();
    peer.await_close();
  });
  std::stop_source stop;
  CurlHttp http(stop.get_token());
  auto request = get(server.url("/"));
  request.timeout = milliseconds(0);
  SUBCASE("collected") {}
  SUBCASE("streamed") {
    request.on_body = [](std::string_view) { return paas::Status{}; };
  }
  auto result = std::async(std::launch::async, [&] { return http.send(request); });
  arrived.get_future().wait();
  stop.request_stop();
  const auto response = result.get();
  REQUIRE_FALSE(response.has_value());
  CHECK(response.error().kind == ErrorKind::interrupted);
  CHECK(http.send(request).error().kind == ErrorKind::interrupted);
}

}  // namespace
