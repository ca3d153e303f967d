// Steps that bring a service's image to a server.
#include <fmt/format.h>

#include <algorithm>

#include "reconcile/run.hpp"

namespace paas::reconcile {

Result<plan::ImageState> Run::image_of(const stack::Service& declared) {
  if (const auto held = held_.find(declared.name); held != held_.end()) return held->second.image;
  const std::scoped_lock lock(images_mutex_);
  const auto found = images_.find(declared.image);
  if (found == images_.end()) {
    return fail(ErrorKind::not_found, fmt::format("image {} is not known", declared.image));
  }
  return found->second;
}

/// Whether another server that stays runs a container of that image.
bool Run::runs_elsewhere(const std::string& image, const std::string& except) const {
  const auto lockfile = state_.read();
  return std::any_of(lockfile.servers.begin(), lockfile.servers.end(), [&](const auto& entry) {
    const auto& [name, other] = entry;
    return name != except && !other.leaving && other.release > 0 &&
           service(other.service).image == image;
  });
}

/// Servers must not differ although a tag moved in between: the first pull decides for all, and one
/// that brings something else is an error while others run what was pulled before.
Status Run::pull_image(const plan::Step& step, const std::string& name,
                       const plan::ImageState& image) {
  PAAS_TRY(const auto login, logins_.of(image.reference));
  auto pulled = tools_.machines.pull_image(target(step.server), image.reference, login);
  if (!pulled) return fail(explain_pull(std::move(pulled.error()), image.reference, login));
  const auto digest = std::move(*pulled);
  if (held_.contains(step.service) && image.digest != digest) {
    return fail(ErrorKind::failed,
                fmt::format("release {} of {} cannot be had any more: {} is another image now",
                            held_.at(step.service).release, step.service, image.reference));
  }
  if (held_.contains(step.service)) return {};
  const std::scoped_lock lock(images_mutex_);
  auto& state = images_[name];
  if (!state.digest || (*state.digest != digest && !runs_elsewhere(name, step.server))) {
    state.digest = digest;
  }
  if (*state.digest == digest) return {};
  return fail(ErrorKind::failed,
              fmt::format("{} is another image now: servers run {}, the registry has {}",
                          image.reference, *state.digest, digest),
              fmt::format("give images.{}.pull a tag or a digest that does not move; all servers "
                          "change to it then",
                          name));
}

Status Run::send_image(const plan::Step& step) {
  const auto& declared = service(step.service);
  PAAS_TRY(auto image, image_of(declared));
  // A snapshot may have brought the image: then nothing has to be exported or pulled either.
  PAAS_TRY(const auto machine, tools_.machines.look(target(step.server), stack_.name, false));
  if (image.digest && machine.image_digests.contains(*image.digest)) {
    stage(step, "was there");
    return {};
  }
  if (image.pulled) {
    PAAS_CHECK(pull_image(step, declared.image, image));
    stage(step, "pulled");
    return {};
  }
  auto archive = tools_.images.archive(image.reference);
  if (!archive) return fail(archive.error());
  PAAS_TRY(const bool sent,
           tools_.machines.send_image(target(step.server), **archive,
                                      [&](std::uint64_t bytes, std::uint64_t total) {
                                        Event event;
                                        event.kind = EventKind::progress;
                                        event.step = step;
                                        event.bytes_sent = bytes;
                                        event.bytes_total = total;
                                        tell(std::move(event));
                                      }));
  stage(step, sent ? "sent" : "was there");
  return {};
}

}  // namespace paas::reconcile
