// The rules of DESIGN.md for a password on its way from pending to retired.
#include "lockfile/passwords.hpp"

#include <utility>

namespace paas::lockfile {

std::string to_text(RotationState state) {
  switch (state) {
    case RotationState::pending:
      return "pending";
    case RotationState::set:
      return "set";
    case RotationState::pushed:
      return "pushed";
  }
  return "";
}

Login login_of_dependents(const Service& service) {
  const auto& rotation = service.rotation;
  if (rotation && rotation->state != RotationState::pending) {
    return {rotation->user, rotation->password};
  }
  return {service.user, service.password};
}

Login login_of_container(const Service& service) {
  const auto& rotation = service.rotation;
  if (rotation && (rotation->state == RotationState::pushed || service.password.empty())) {
    return {rotation->user, rotation->password};
  }
  return {service.user, service.password};
}

std::string next_user(const stack::Credentials& credentials, const Service& service) {
  if (credentials.other_user.empty()) return "";
  return service.user == credentials.other_user ? credentials.user : credentials.other_user;
}

void finish_rotation(Service& service, const std::string& now) {
  if (!service.rotation) return;
  service.password = std::move(service.rotation->password);
  service.user = std::move(service.rotation->user);
  service.rotation.reset();
  service.password_rotated = now;
}

void forget_passwords(Service& service) {
  service.password = Secret();
  service.user.clear();
  service.rotation.reset();
  service.password_rotated.clear();
}

}  // namespace paas::lockfile
