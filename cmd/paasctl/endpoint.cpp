// Finds the API of a stack's cloud and the token for it.
#include "endpoint.hpp"

#include <fmt/format.h>

#include "local_cloud.hpp"

namespace paas::cli {

namespace {

Result<Endpoint> digitalocean(Program& program) {
  auto& environment = program.ports.environment;
  Endpoint endpoint;
  endpoint.url = environment.get("DIGITALOCEAN_API_URL").value_or("https://api.digitalocean.com");
  while (endpoint.url.ends_with('/')) endpoint.url.pop_back();
  endpoint.identity = endpoint.url;
  for (const auto* name : {"DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN"}) {
    const auto token = environment.get(name);
    if (!token || token->empty()) continue;
    endpoint.token = Secret(*token);
    return endpoint;
  }
  return fail(
      ErrorKind::unauthorised, "there is no API token",
      "set DIGITALOCEAN_ACCESS_TOKEN, or write `cloud: local` to use a cloud on this machine");
}

Result<Endpoint> local(Program& program) {
  PAAS_TRY(const auto folder, state_folder(program, ""));
  PAAS_TRY(auto running, cloud::endpoint(program.ports.files, folder));
  if (!running) {
    program.say("Starting the local cloud ...");
    // One that was stopped comes back as it was.
    PAAS_TRY(running, start_local_cloud(program, earlier_settings(program, folder)));
  }
  return Endpoint{running->url, Secret(running->token), "local:" + running->name};
}

}  // namespace

Result<Endpoint> endpoint_for(Program& program, stack::CloudKind cloud) {
  return cloud == stack::CloudKind::local ? local(program) : digitalocean(program);
}

}  // namespace paas::cli
