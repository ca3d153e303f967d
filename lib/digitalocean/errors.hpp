// The API's answers that are errors, as Error values.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "ports/http.hpp"

namespace paas::digitalocean {

/// 422 "Droplet already has a pending event.": kind failed. Wait for the droplet's event and ask
/// again.
bool is_pending_event(const Error& error);

/// 403 on deleting a VPC that still has members: kind failed. Members leave a while after their
/// droplets.
bool is_vpc_in_use(const Error& error);

/// Whether the API refused, or nothing was sent: then nothing was made or changed.
bool is_refusal(const Error& error);

/// What an answer with status 300 or above says, with the request's id, without the token. Kinds:
/// see Client. A 4xx that has not the form of the API's errors, as a proxy's page, says nothing
/// about what exists: unreachable, but for 401, 403 and 429. Without effect are 400, 401, 403, 404,
/// 409, 412, 422 and 429 in the API's form; after any other answer to a POST that is unknown.
Error error_of(const HttpResponse& response, const Secret& token);

/// A text that may quote the request, with *** for the token.
std::string without_token(std::string text, const Secret& token);

/// 403 is also how the API says that a VPC is not empty yet; tells the two apart.
Error vpc_deletion_error(Error error);

/// The header, or "" when there is none.
std::string header(const HttpResponse& response, const std::string& name);

}  // namespace paas::digitalocean
