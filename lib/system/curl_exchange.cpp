// Implementation of one HTTP request with libcurl.
#include "system/curl_exchange.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/text.hpp"

namespace paas::system {
namespace {

/// More than any answer that is collected whole; streams have no limit.
constexpr std::size_t body_limit_bytes = 256U << 20U;
/// An error's explanation; the rest of a longer one is dropped.
constexpr std::size_t error_body_limit_bytes = 1U << 20U;
constexpr long stream_buffer_bytes = 256L << 10U;

/// "scheme://host:port" of an address, without user, path and query: safe to show.
std::string origin_of(std::string_view url) {
  const auto scheme_end = url.find("://");
  const auto start = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  const auto end = std::min(url.find_first_of("/?#", start), url.size());
  const auto at = url.substr(0, end).rfind('@');
  const auto host = at == std::string_view::npos || at < start ? start : at + 1;
  return fmt::format("{}{}", url.substr(0, start), url.substr(host, end - host));
}

/// A proxy from the environment is for addresses out in the world, which have TLS: it would read
/// whatever else it passes on, tokens too, and knows nothing of private networks.
bool may_use_proxy(const HttpRequest& request, std::string_view origin) {
  const auto scheme_end = std::min(origin.find("://"), origin.size());
  if (request.unix_socket || text::lower(origin.substr(0, scheme_end)) != "https") return false;
  const auto host = origin.substr(std::min(scheme_end + 3, origin.size()));
  return !host.starts_with("127.") && !host.starts_with("localhost") && !host.starts_with("[::1]");
}

/// RFC 9110, 9.2.2: the methods that are not idempotent.
bool repeating_is_harmful(std::string_view method) { return method == "POST" || method == "PATCH"; }

}  // namespace

CurlExchange::CurlExchange(const HttpRequest& request, const std::string& authorities_file)
    : request_(request), handle_(curl_easy_init()) {
  set_address();
  set_protocol();
  if (!authorities_file.empty()) {
    curl_easy_setopt(handle(), CURLOPT_CAINFO, authorities_file.c_str());
  }
  set_method_and_body();
  set_headers();
  set_limits();
}

void CurlExchange::set_address() {
  curl_easy_setopt(handle(), CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle(), CURLOPT_FOLLOWLOCATION, 0L);
  if (request_.unix_socket) {
    curl_easy_setopt(handle(), CURLOPT_UNIX_SOCKET_PATH, request_.unix_socket->c_str());
  }
  if (!may_use_proxy(request_, origin_of(request_.url))) {
    curl_easy_setopt(handle(), CURLOPT_PROXY, "");
  }
  curl_easy_setopt(handle(), CURLOPT_OPENSOCKETFUNCTION, &CurlExchange::open_socket);
  curl_easy_setopt(handle(), CURLOPT_OPENSOCKETDATA, this);
}

bool CurlExchange::may_share_connections() const {
  return !request_.body_source && !request_.on_body && !repeating_is_harmful(request_.method);
}

void CurlExchange::set_protocol() {
  // libcurl also repeats a request whose stream was refused (a GOAWAY, REFUSED_STREAM), and only
  // HTTP/2 has streams.
  if (repeating_is_harmful(request_.method)) {
    curl_easy_setopt(handle(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    return;
  }
  curl_easy_setopt(handle(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  // Waiting to join a connection pays only where HTTP/2 can be negotiated.
  if (request_.url.starts_with("https:")) curl_easy_setopt(handle(), CURLOPT_PIPEWAIT, 1L);
}

void CurlExchange::set_method_and_body() {
  const auto& method = request_.method;
  if (request_.body_source) {
    curl_easy_setopt(handle(), CURLOPT_POST, 1L);
    curl_easy_setopt(handle(), CURLOPT_READFUNCTION, &CurlExchange::provide_body);
    curl_easy_setopt(handle(), CURLOPT_READDATA, this);
    curl_easy_setopt(handle(), CURLOPT_UPLOAD_BUFFERSIZE, stream_buffer_bytes);
    const auto length =
        request_.body_length ? static_cast<curl_off_t>(*request_.body_length) : curl_off_t{-1};
    curl_easy_setopt(handle(), CURLOPT_POSTFIELDSIZE_LARGE, length);
  } else if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    curl_easy_setopt(handle(), CURLOPT_POST, 1L);
    curl_easy_setopt(handle(), CURLOPT_POSTFIELDS, request_.body.c_str());
    curl_easy_setopt(handle(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body.size()));
  } else if (method == "HEAD") {
    curl_easy_setopt(handle(), CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(handle(), CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(handle(), CURLOPT_HEADERFUNCTION, &CurlExchange::receive_header);
  curl_easy_setopt(handle(), CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle(), CURLOPT_WRITEFUNCTION, &CurlExchange::receive_body);
  curl_easy_setopt(handle(), CURLOPT_WRITEDATA, this);
  if (request_.on_body) curl_easy_setopt(handle(), CURLOPT_BUFFERSIZE, stream_buffer_bytes);
}

void CurlExchange::set_headers() {
  bool has_type = false;
  const auto add = [this](const std::string& line) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
  };
  for (const auto& [name, value] : request_.headers) {
    has_type = has_type || text::lower(name) == "content-type";
    // libcurl takes "Name;" for an empty value, and "Name:" for none of its own.
    add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // Waiting for "100 Continue" costs a second with servers that do not know it.
  add("Expect:");
  if (!has_type) add("Content-Type:");
  if (request_.body_source && !request_.body_length) add("Transfer-Encoding: chunked");
  curl_easy_setopt(handle(), CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(handle(), CURLOPT_USERAGENT, "paasctl");
}

void CurlExchange::set_limits() {
  curl_easy_setopt(handle(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle(), CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(handle(), CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(handle(), CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
  curl_easy_setopt(handle(), CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle(), CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(handle(), CURLOPT_TCP_KEEPINTVL, 10L);
}

// libcurl's own sockets would be inherited by the programs that other threads start.
curl_socket_t CurlExchange::open_socket(void*, curlsocktype, curl_sockaddr* address) {
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t CurlExchange::receive_header(char* data, std::size_t size, std::size_t count,
                                         void* self) {
  auto& response = static_cast<CurlExchange*>(self)->response_;
  const std::string_view line(data, size * count);
  const auto colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    // Another answer begins; those before it (1xx) mean nothing to the caller.
    response.headers.clear();
  } else if (colon != std::string_view::npos) {
    auto& value = response.headers[text::lower(line.substr(0, colon))];
    if (!value.empty()) value += ", ";
    value += text::trim(line.substr(colon + 1));
  }
  return line.size();
}

std::size_t CurlExchange::receive_body(char* data, std::size_t size, std::size_t count,
                                       void* self) {
  auto& exchange = *static_cast<CurlExchange*>(self);
  const std::string_view part(data, size * count);
  if (auto taken = exchange.take_body(part); !taken) {
    exchange.callback_error_ = std::move(taken.error());
    return CURL_WRITEFUNC_ERROR;
  }
  return part.size();
}

Status CurlExchange::take_body(std::string_view part) {
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 400) {
    const auto room =
        error_body_limit_bytes - std::min(error_body_limit_bytes, response_.body.size());
    response_.body += part.substr(0, room);
    return {};
  }
  if (request_.on_body) return request_.on_body(part);
  if (response_.body.size() + part.size() > body_limit_bytes) {
    return fail(ErrorKind::failed, fmt::format("the answer of {} is larger than {}", address(),
                                               text::bytes(body_limit_bytes)));
  }
  response_.body += part;
  return {};
}

std::size_t CurlExchange::provide_body(char* data, std::size_t size, std::size_t count,
                                       void* self) {
  auto& exchange = *static_cast<CurlExchange*>(self);
  auto part = exchange.next_part(size * count);
  if (!part) {
    exchange.callback_error_ = std::move(part.error());
    return CURL_READFUNC_ABORT;
  }
  std::memcpy(data, part->data(), part->size());
  return part->size();
}

Result<std::string_view> CurlExchange::next_part(std::size_t capacity) {
  if (part_given_ == part_.size()) {
    PAAS_TRY(part_, request_.body_source(capacity));
    part_given_ = 0;
  }
  const auto part = std::string_view(part_).substr(part_given_, capacity);
  part_given_ += part.size();
  sent_bytes_ += part.size();
  // libcurl would wait for ever for the answer to a request that it has not finished.
  if (part.empty() && request_.body_length && sent_bytes_ < *request_.body_length) {
    return fail(ErrorKind::failed, fmt::format("the body for {} ended after {} of {} bytes",
                                               address(), sent_bytes_, *request_.body_length));
  }
  return part;
}

std::string CurlExchange::address() const {
  return request_.unix_socket ? *request_.unix_socket : origin_of(request_.url);
}

Result<HttpResponse> CurlExchange::finish(CURLcode code) {
  if (callback_error_) return fail(std::move(*callback_error_));
  if (code != CURLE_OK) return fail(describe_failure(code));
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

Error CurlExchange::describe_failure(CURLcode code) const {
  std::string reason = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_CONNECT: {
      long number = 0;
      curl_easy_getinfo(handle(), CURLINFO_OS_ERRNO, &number);
      if (number != 0) reason = std::generic_category().message(static_cast<int>(number));
      break;
    }
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return make_error(ErrorKind::invalid,
                        fmt::format("{} is not an HTTP address: {}", address(), reason));
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t sending_began = 0;
      curl_easy_getinfo(handle(), CURLINFO_PRETRANSFER_TIME_T, &sending_began);
      if (sending_began == 0) break;
      return make_error(ErrorKind::timed_out, fmt::format("{} did not answer within {}", address(),
                                                          text::duration(request_.timeout)));
    }
    case CURLE_PEER_FAILED_VERIFICATION:
      return make_error(ErrorKind::unreachable,
                        fmt::format("{} is not who it says: {}", address(), reason),
                        "check this machine's time and its certificates (ca-certificates)");
    case CURLE_OUT_OF_MEMORY:
      return make_error(ErrorKind::failed, "out of memory");
    default:
      break;
  }
  return make_error(ErrorKind::unreachable, fmt::format("cannot reach {}: {}", address(), reason));
}

}  // namespace paas::system
