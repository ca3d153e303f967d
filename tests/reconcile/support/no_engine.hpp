// Docker Engine where there is none.
#pragma once

#include "ports/http.hpp"

namespace paas::reconcile::testing {

class NoEngine : public Http {
 public:
  Result<HttpResponse> send(const HttpRequest&) override {
    return fail(ErrorKind::unreachable, "no engine is needed here");
  }
};

}  // namespace paas::reconcile::testing
