// The host's routes: whether a range is free, and keeping a cloud's ranges on this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/ip_range.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"

namespace paas::cloud {

struct Route {
  IpRange destination;
  std::string device;  ///< Empty for an unreachable route.
  bool ours = false;   ///< An unreachable route that this cloud made.
};

/// The routes in the answer of `ip -j -4 route show`, without the default one. `mark` is the metric
/// that tells this cloud's unreachable routes. Error (failed): not such an answer.
Result<std::vector<Route>> parse_routes(const std::string& json, std::uint32_t mark);

class HostNetwork {
 public:
  /// Routes are marked with a metric derived from the cloud's name, so that they are found without
  /// any record.
  HostNetwork(Processes& processes, Files& files, const std::string& cloud_name);

  Result<std::vector<Route>> routes();
  /// Error (exists): a route leads into the range already; what block() made for just this range
  /// does not count.
  Status check_free(const IpRange& range);
  /// What is sent into the range is refused here when no network takes it; it never leaves the
  /// machine.
  Status block(const IpRange& range);
  /// Takes back block(); what is not there is no error.
  Status unblock(const IpRange& range);
  /// The largest packet that the interface of the default route takes, in bytes; 1500 where there
  /// is none.
  int mtu();
  /// Forgets which machine had the address.
  void forget_neighbour(const std::string& address);

  std::uint32_t mark() const { return mark_; }

 private:
  Status change(const std::string& verb, const IpRange& range);

  Processes& processes_;
  Files& files_;
  std::uint32_t mark_;
};

}  // namespace paas::cloud
