// Which password and user of a service count while one is rotated, and for whom.
#pragma once

#include <string>

#include "base/secret.hpp"
#include "lockfile/model.hpp"
#include "stack/model.hpp"

namespace paas::lockfile {

/// "pending", "set", "pushed".
std::string to_text(RotationState state);

/// An empty user is the first that the stack file names; an empty password is not known yet.
struct Login {
  std::string user;
  Secret password;
};

/// What those that link to the service are given: the new password once the service takes it.
Login login_of_dependents(const Service& service);

/// What the service's own container is made with. Until all dependents have the new password it is
/// the one before, which the container then takes beside the new one that it is told again.
Login login_of_container(const Service& service);

/// The user that gets the next password: of two the one that is not in use, else empty.
std::string next_user(const stack::Credentials& credentials, const Service& service);

/// Ends a rotation: its password is the only one. `now` is in RFC 3339.
void finish_rotation(Service& service, const std::string& now);

/// Forgets all passwords: nothing takes any of them any more.
void forget_passwords(Service& service);

}  // namespace paas::lockfile
