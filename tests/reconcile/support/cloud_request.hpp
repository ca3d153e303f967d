// What the client sends, as the local cloud's core takes it.
#pragma once

#include "cloud/core.hpp"
#include "ports/http.hpp"

namespace paas::reconcile::testing {

/// The token that the core asks for, and the address that the client is given.
constexpr const char* cloud_token = "dop_v1_test";
constexpr const char* cloud_url = "http://127.0.0.1:4000";

cloud::Request cloud_request(const HttpRequest& request);
HttpResponse http_response(const cloud::Answer& answer);

}  // namespace paas::reconcile::testing
