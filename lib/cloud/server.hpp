// The HTTP side of the local cloud: the API, and for droplets the metadata service.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "cloud/service.hpp"

namespace paas::cloud {

enum class ServeMetadata { no, yes };

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;  ///< 0: any free one.
  /// Added to every answer, as a network would.
  std::chrono::milliseconds latency{0};
  /// Droplets are told apart by their address.
  ServeMetadata metadata = ServeMetadata::no;
};

/// Listens from its making to its end.
class Server {
 public:
  virtual ~Server() = default;
  virtual int port() const = 0;
  /// "http://127.0.0.1:40123"
  virtual std::string url() const = 0;
};

/// Error (failed): the address cannot be listened on.
Result<std::unique_ptr<Server>> listen(Service& service, const ServerOptions& options);

/// "127.0.0.1:0" as options. Error (usage): no address and port.
Result<ServerOptions> parse_address(const std::string& address);

}  // namespace paas::cloud
