// HTTP between a run and the provider, where requests and answers get lost.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "crash/support/operation.hpp"
#include "crash/support/world.hpp"
#include "ports/http.hpp"
#include "reconcile/support/fuse.hpp"

namespace paas::crash {

class ProviderHttp : public Http {
 public:
  ProviderHttp(World& world, reconcile::testing::Fuse& fuse, Operations& operations,
               std::recursive_mutex& mutex)
      : world_(world), fuse_(fuse), operations_(operations), mutex_(mutex) {}

  Result<HttpResponse> send(const HttpRequest& request) override;
  /// Requests that change something, in order.
  const std::vector<std::string>& changes() const { return changes_; }

 private:
  cloud::Answer carry_out(const cloud::Request& request);
  Result<HttpResponse> spoil(FaultKind kind, const cloud::Request& request);

  World& world_;
  reconcile::testing::Fuse& fuse_;
  Operations& operations_;
  std::recursive_mutex& mutex_;
  std::vector<std::string> changes_;
};

}  // namespace paas::crash
