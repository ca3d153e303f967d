// One HTTP request with libcurl: its handle, its callbacks and the meaning of its end.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ports/http.hpp"

namespace paas::system {

/// The request must outlive it.
class CurlExchange {
 public:
  /// A file of certificates of authorities in PEM to trust; "": the system's.
  CurlExchange(const HttpRequest& request, const std::string& authorities_file);
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  CURL* handle() const { return handle_.get(); }
  /// False for a stream, and for a request that must not be repeated: see CurlHttp.
  bool may_share_connections() const;
  /// The result, once libcurl has said that the transfer is done.
  Result<HttpResponse> finish(CURLcode code);

 private:
  void set_address();
  void set_protocol();
  void set_method_and_body();
  void set_headers();
  void set_limits();
  Error describe_failure(CURLcode code) const;
  std::string address() const;

  static std::size_t receive_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t receive_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t provide_body(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  Status take_body(std::string_view part);
  Result<std::string_view> next_part(std::size_t capacity);

  struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const HttpRequest& request_;
  HttpResponse response_;
  std::optional<Error> callback_error_;
  std::string part_;            ///< Of a streamed request body.
  std::size_t part_given_ = 0;  ///< Bytes of part_ that libcurl has taken.
  std::uint64_t sent_bytes_ = 0;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::unique_ptr<CURL, FreeHandle> handle_;  ///< Last: uses the others until it is freed.
};

}  // namespace paas::system
