// Who servers pull images as: logins of the stack file, and short-lived ones of the account.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "digitalocean/client.hpp"
#include "docker/engine.hpp"
#include "plan/step.hpp"
#include "ports/clock.hpp"
#include "reconcile/images.hpp"
#include "stack/model.hpp"

namespace paas::reconcile {

/// The logins of one run; they are given to one request each and kept nowhere.
class RegistryLogins {
 public:
  RegistryLogins(const stack::Stack& stack, digitalocean::Client& client, Images& images,
                 Clock& clock)
      : stack_(stack), client_(client), images_(images), clock_(clock) {}

  /// That of the reference's registry. DigitalOcean's own, unless the stack file has a login for
  /// it, is one that can only read and soon ends. Nothing where none is declared. Errors: a secret
  /// that is not there, or the API's.
  Result<std::optional<docker::RegistryLogin>> of(const std::string& reference);

 private:
  Result<docker::RegistryLogin> of_account();

  const stack::Stack& stack_;
  digitalocean::Client& client_;
  Images& images_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<docker::RegistryLogin> account_;
  std::chrono::milliseconds account_asked_{};  ///< On the monotonic clock.
};

/// Whether the passwords that the plan's pulls need are there, before anything is changed.
Status check_logins(const plan::Plan& plan, const stack::Stack& stack, Images& images);

/// What to do about a refused pull, where the registry did not take who asked.
Error explain_pull(Error error, const std::string& reference,
                   const std::optional<docker::RegistryLogin>& login);

}  // namespace paas::reconcile
