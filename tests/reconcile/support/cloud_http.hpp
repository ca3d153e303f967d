// The provider: the local cloud's core in process.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "cloud/core.hpp"
#include "ports/http.hpp"
#include "reconcile/support/fuse.hpp"

namespace paas::reconcile::testing {

/// The cloud's core behind HTTP; its effects end at once.
class CloudHttp : public Http {
 public:
  CloudHttp(cloud::State& state, Fuse& fuse) : state_(state), fuse_(fuse) {}
  Result<HttpResponse> send(const HttpRequest& request) override;

  /// The next request of this method and path takes effect, but its answer is lost.
  std::string cut_next;
  std::vector<std::string> changes;  ///< "POST /v2/droplets" ...
  /// So many answers about the firewalls of a droplet come too early: they list none.
  int early_answers = 0;
  /// A droplet is destroyed only after so many looks at droplets.
  int looks_at_leaving = 0;
  int single_looks = 0;  ///< How often one droplet was asked for.

 private:
  cloud::Answer answer(const cloud::Request& request);
  void note_look(const std::string& path);

  cloud::State& state_;
  Fuse& fuse_;
  std::mutex mutex_;
  cloud::Request destruction_;  ///< Accepted, and still to be done.
  int looks_left_ = 0;
};

}  // namespace paas::reconcile::testing
