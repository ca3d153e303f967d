// Finds the login of a reference.
#include "reconcile/registry_logins.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "docker/reference.hpp"

namespace paas::reconcile {

namespace {

constexpr const char* account_registry = "registry.digitalocean.com";

/// A pull of a large image may begin with a login that is half as old.
constexpr std::chrono::seconds account_lifetime{1200};

Result<docker::RegistryLogin> read_account_login(const digitalocean::RegistryCredentials& found) {
  const auto pair = text::base64_decode(found.auth.reveal()).value_or("");
  const auto colon = pair.find(':');
  if (colon == std::string::npos) {
    return fail(ErrorKind::unreachable, "the API's registry credentials are no user and password");
  }
  return docker::RegistryLogin{found.host, pair.substr(0, colon), Secret(pair.substr(colon + 1))};
}

Result<docker::RegistryLogin> declared_login(const std::string& host,
                                             const stack::Registry& registry, Images& images) {
  auto password = images.secret(registry.password);
  if (!password) return fail(std::move(password.error()), "the login for " + host);
  // Files and command substitutions end with a line feed, passwords do not.
  return docker::RegistryLogin{host, registry.username,
                               Secret(std::string(text::trim(password->reveal())))};
}

}  // namespace

Result<docker::RegistryLogin> RegistryLogins::of_account() {
  const std::scoped_lock lock(mutex_);
  const auto now = clock_.monotonic();
  if (account_ && now - account_asked_ < account_lifetime / 2) return *account_;
  auto all =
      client_.registry_credentials(account_lifetime, digitalocean::Client::RegistryAccess::read);
  if (!all) {
    auto error = std::move(all.error());
    if (error.hint.empty()) {
      error.hint = fmt::format(
          "make a registry with `doctl registry create`, or give registries a login for {}",
          account_registry);
    }
    return fail(std::move(error));
  }
  const auto found = std::find_if(all->begin(), all->end(),
                                  [](const auto& each) { return each.host == account_registry; });
  if (found == all->end()) {
    return fail(ErrorKind::not_found,
                fmt::format("the account has no credentials for {}", account_registry));
  }
  PAAS_TRY(account_, read_account_login(*found));
  account_asked_ = now;
  return *account_;
}

Result<std::optional<docker::RegistryLogin>> RegistryLogins::of(const std::string& reference) {
  const auto host = docker::registry_host(reference);
  if (const auto declared = stack_.registries.find(host); declared != stack_.registries.end()) {
    return declared_login(host, declared->second, images_);
  }
  if (host != account_registry) return std::nullopt;
  return of_account();
}

Status check_logins(const plan::Plan& plan, const stack::Stack& stack, Images& images) {
  for (const auto& step : plan.steps) {
    if (step.kind != plan::StepKind::send_image) continue;
    const auto* service = stack::find_service(stack, step.service);
    const auto image = service == nullptr ? stack.images.end() : stack.images.find(service->image);
    if (image == stack.images.end() || image->second.pull.empty()) continue;
    const auto registry = stack.registries.find(docker::registry_host(image->second.pull));
    if (registry == stack.registries.end()) continue;
    PAAS_CHECK(declared_login(registry->first, registry->second, images));
  }
  return {};
}

Error explain_pull(Error error, const std::string& reference,
                   const std::optional<docker::RegistryLogin>& login) {
  constexpr std::array refusals = {"unauthorized", "denied", "no basic auth credentials",
                                   "authentication required"};
  const bool is_refused = std::any_of(refusals.begin(), refusals.end(), [&](const char* refusal) {
    return error.message.find(refusal) != std::string::npos;
  });
  if (!is_refused || !error.hint.empty()) return error;
  const auto host = docker::registry_host(reference);
  error.kind = ErrorKind::unauthorised;
  error.hint = login ? fmt::format(
                           "the registry refused {}: look at registries.{} in the stack "
                           "file, and at what it names",
                           login->username, host)
                     : fmt::format(
                           "if it is private, give the stack file a login: registries: "
                           "{{{}: {{username: NAME, password: {{env: VARIABLE}}}}}}",
                           host);
  return error;
}

}  // namespace paas::reconcile
