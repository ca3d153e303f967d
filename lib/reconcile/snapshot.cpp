// The life of a builder droplet.
#include "reconcile/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "reconcile/registry_logins.hpp"
#include "reconcile/state.hpp"
#include "ssh/keys.hpp"
#include "ssh/user_data.hpp"

namespace paas::reconcile {

namespace {

/// Everything that is of this one machine and must not be of those made from it. SSH's daemon lives
/// on without its keys until the machine is off.
constexpr auto wipe_script = R"(
systemctl stop docker.socket docker haproxy 2>/dev/null || true
cloud-init clean --logs
rm -rf /etc/paas /var/lib/paas /var/lib/cloud/instances /var/lib/cloud/instance
rm -f /etc/ssh/ssh_host_* /etc/ssh/paas_next_* /root/.ssh/authorized_keys /root/.bash_history
rm -rf /tmp/* /var/tmp/* /var/cache/apt/archives/*.deb
find /var/log -type f -exec truncate -s 0 {} +
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
sync
)";

class Builder {
 public:
  Builder(const stack::Stack& stack, std::string service, const lockfile::Lockfile& loaded,
          Tools& tools, const Options& options)
      : stack_(stack),
        service_(std::move(service)),
        state_(tools.store, loaded),
        tools_(tools),
        options_(options) {
    step_.id = "snapshot/" + service_;
  }

  Result<digitalocean::Snapshot> make(const std::map<std::string, plan::ImageState>& images) {
    PAAS_CHECK(remove_leftovers());
    PAAS_CHECK(ensure_key());
    auto snapshot = build(images);
    // Destroyed whether or not it worked: a builder is of no other use.
    auto removed = remove_leftovers();
    if (snapshot && !removed) return fail(removed.error());
    return snapshot;
  }

  Status remove_leftovers() {
    const auto leftovers = state_.read().temporary;
    for (const auto& [name, resource] : leftovers) {
      auto id = resource.id;
      if (id.empty()) {
        PAAS_TRY(id, find(name));
      }
      if (!id.empty()) {
        PAAS_CHECK(await_found(std::stoll(id)));
        PAAS_CHECK(destroy(std::stoll(id)));
      }
      PAAS_CHECK(state_.change([&, key = name](auto& next) { next.temporary.erase(key); }));
    }
    return {};
  }

 private:
  /// The identifier of the builder of that name, which has a random part; empty when there is none
  /// through the window in which one that was just accepted may not be listed yet.
  Result<std::string> find(const std::string& name) {
    const auto deadline = tools_.clock.monotonic() + options_.timeouts.grace;
    while (true) {
      PAAS_TRY(const auto found, tools_.client.droplets_by_name(name));
      if (!found.empty()) return std::to_string(found.front().id);
      if (tools_.clock.monotonic() >= deadline) return std::string();
      PAAS_CHECK(tools_.clock.wait(options_.timeouts.poll * 4));
    }
  }

  /// One that was just accepted may answer 404 for a while, and come up after it was given up. What
  /// is gone is waited for through the window.
  Status await_found(std::int64_t droplet) {
    const auto deadline = tools_.clock.monotonic() + options_.timeouts.grace;
    while (true) {
      const auto found = tools_.client.droplet(droplet);
      if (found || tools_.clock.monotonic() >= deadline) return {};
      if (found.error().kind != ErrorKind::not_found) return fail(found.error());
      PAAS_CHECK(tools_.clock.wait(options_.timeouts.poll * 4));
    }
  }

  void stage(const std::string& text) {
    Event event;
    event.kind = EventKind::stage;
    event.step = step_;
    event.text = text;
    event.elapsed = tools_.clock.monotonic() - began_;
    if (options_.on_event) options_.on_event(event);
  }

  Status poll(std::chrono::milliseconds timeout, const std::string& what,
              const std::function<Result<bool>()>& condition) {
    const auto deadline = tools_.clock.monotonic() + timeout;
    while (true) {
      if (options_.interrupted && options_.interrupted()) {
        return fail(ErrorKind::interrupted, "interrupted while " + what);
      }
      PAAS_TRY(const bool holds, condition());
      if (holds) return {};
      if (tools_.clock.monotonic() >= deadline) {
        return fail(ErrorKind::timed_out,
                    fmt::format("{} took longer than {}", what, text::duration(timeout)));
      }
      PAAS_CHECK(tools_.clock.wait(options_.timeouts.poll));
    }
  }

  Status ensure_key() {
    auto lockfile = state_.read();
    const auto name = lockfile::ssh_key_name(stack_.name);
    if (!lockfile.ssh_key) {
      PAAS_TRY(auto pair, ssh::generate_key(tools_.processes, tools_.files, tools_.scratch, name));
      PAAS_CHECK(state_.change([&](auto& next) {
        next.ssh_key = {{name, ""}, pair.private_key, pair.public_key};
      }));
      lockfile = state_.read();
    }
    PAAS_CHECK(tools_.files.write_atomically(tools_.scratch + "/identity",
                                             lockfile.ssh_key->private_key.reveal(), 0600));
    if (!lockfile.ssh_key->key.id.empty()) return {};
    PAAS_TRY(auto key,
             tools_.client.find_ssh_key(ssh::fingerprint_md5(lockfile.ssh_key->public_key)));
    if (!key) {
      PAAS_TRY(key, tools_.client.create_ssh_key(name, lockfile.ssh_key->public_key));
    }
    return state_.change([&](auto& next) { next.ssh_key->key.id = std::to_string(key->id); });
  }

  Status create() {
    began_ = tools_.clock.monotonic();
    name_ = lockfile::builder_name(stack_.name, service_, text::hex(tools_.random.bytes(4)));
    step_.subject = name_;
    PAAS_TRY(auto pair, ssh::generate_key(tools_.processes, tools_.files, tools_.scratch, ""));
    target_.name = name_;
    target_.host_key =
        pair.public_key.substr(0, pair.public_key.find(' ', pair.public_key.find(' ') + 1));
    PAAS_CHECK(state_.change([&](auto& next) { next.temporary[name_] = {name_, ""}; }));
    const auto lockfile = state_.read();
    const auto* declared = stack::find_service(stack_, service_);
    digitalocean::DropletRequest request;
    request.name = name_;
    request.region = stack_.region;
    request.size = declared != nullptr && !declared->size.empty() ? declared->size : stack_.size;
    request.image = stack_.base_image;
    request.ssh_keys = {std::stoll(lockfile.ssh_key->key.id)};
    request.tags = {lockfile::stack_tag(stack_.name), lockfile::service_tag(stack_.name, service_)};
    // Outside of it the builder would lie in the account's default network, among others' droplets.
    const bool is_there =
        lockfile.vpc && lockfile.applied && lockfile.applied->region == stack_.region;
    if (is_there) request.vpc_id = lockfile.vpc->id;
    ssh::UserData data;
    data.host_private_key = pair.private_key;
    data.host_public_key = target_.host_key;
    request.user_data = ssh::user_data(data);
    auto made = tools_.client.create_droplet(request);
    if (!made) {
      if (!digitalocean::is_refusal(made.error())) return fail(made.error());
      PAAS_CHECK(state_.change([&](auto& next) { next.temporary.erase(name_); }));
      return fail(made.error());
    }
    droplet_ = made->id;
    PAAS_CHECK(
        state_.change([&](auto& next) { next.temporary[name_].id = std::to_string(droplet_); }));
    stage("accepted");
    return {};
  }

  Result<digitalocean::Snapshot> build(const std::map<std::string, plan::ImageState>& images) {
    PAAS_CHECK(create());
    return fill(images);
  }

  Result<digitalocean::Snapshot> fill(const std::map<std::string, plan::ImageState>& images) {
    PAAS_CHECK(poll(options_.timeouts.active, "starting " + name_, [&]() -> Result<bool> {
      PAAS_TRY(auto droplet, tools_.client.droplet(droplet_));
      target_.address = droplet.public_address;
      return droplet.status == "active" && !droplet.public_address.empty();
    }));
    stage("active");
    PAAS_CHECK(tools_.machines.await_ssh(target_, options_.timeouts.ssh));
    stage("SSH");
    PAAS_CHECK(tools_.machines.await_cloud_init(target_, options_.timeouts.cloud_init));
    stage("cloud-init");
    PAAS_CHECK(tools_.machines.await_docker(target_, options_.timeouts.docker));
    PAAS_CHECK(send(images));
    observe::RemoteCommand wipe;
    wipe.arguments = {"sh", "-eu"};
    wipe.input = wipe_script;
    PAAS_TRY(auto wiped, tools_.machines.run(target_, wipe));
    if (wiped.exit_status != 0) {
      return fail(ErrorKind::failed, fmt::format("wiping {}: {}", name_, wiped.error_output));
    }
    stage("wiped");
    PAAS_CHECK(power_off());
    return take();
  }

  Status send(const std::map<std::string, plan::ImageState>& images) {
    const auto* declared = stack::find_service(stack_, service_);
    const auto image = images.find(declared->image);
    if (image == images.end()) return fail(ErrorKind::not_found, "image " + declared->image);
    if (!stack_.images.at(declared->image).pull.empty()) {
      const auto& reference = image->second.reference;
      RegistryLogins logins(stack_, tools_.client, tools_.images, tools_.clock);
      PAAS_TRY(const auto login, logins.of(reference));
      auto pulled = tools_.machines.pull_image(target_, reference, login);
      if (!pulled) return fail(explain_pull(std::move(pulled.error()), reference, login));
      digest_ = std::move(*pulled);
      stage("image pulled");
      return {};
    }
    auto state = image->second;
    if (state.needs_build) {
      PAAS_TRY(state, tools_.images.build(stack_, declared->image, {}));
      stage("image built");
    }
    digest_ = state.digest.value_or("");
    PAAS_TRY(auto archive, tools_.images.archive(state.reference));
    PAAS_CHECK(tools_.machines.send_image(target_, *archive, {}));
    stage("image sent");
    return {};
  }

  /// Shutting down in order may not succeed (FACTS.md): power_off follows.
  Status power_off() {
    auto action = tools_.client.droplet_action(droplet_, "shutdown");
    if (!action) return fail(action.error());
    const auto off = [&]() -> Result<bool> {
      PAAS_TRY(auto droplet, tools_.client.droplet(droplet_));
      return droplet.status == "off" && !droplet.locked;
    };
    auto down = poll(std::chrono::minutes(2), "shutting down " + name_, off);
    if (!down && down.error().kind == ErrorKind::timed_out) {
      PAAS_CHECK(tools_.client.droplet_action(droplet_, "power_off"));
      down = poll(options_.timeouts.action, "powering off " + name_, off);
    }
    PAAS_CHECK(down);
    stage("off");
    return {};
  }

  Result<digitalocean::Snapshot> take() {
    auto stamp = text::timestamp(tools_.clock.now());
    std::erase_if(stamp, [](char c) { return c < '0' || c > '9'; });
    const auto name = lockfile::snapshot_name(
        stack_.name, service_, stamp, lockfile::snapshot_origin(digest_, stack_.base_image));
    PAAS_TRY(auto action, tools_.client.snapshot_droplet(droplet_, name));
    PAAS_CHECK(poll(std::chrono::minutes(30), "taking snapshot " + name, [&]() -> Result<bool> {
      PAAS_TRY(auto now, tools_.client.action(action.id));
      if (now.status == "errored") return fail(ErrorKind::failed, "the snapshot failed");
      return now.status == "completed";
    }));
    PAAS_TRY(auto snapshots, tools_.client.droplet_snapshots());
    for (auto& snapshot : snapshots) {
      if (snapshot.name != name) continue;
      stage(fmt::format("snapshot {}", name));
      return std::move(snapshot);
    }
    return fail(ErrorKind::not_found, fmt::format("snapshot {} is not listed", name));
  }

  Status destroy(std::int64_t droplet) {
    PAAS_CHECK(poll(options_.timeouts.action, "deleting the builder", [&]() -> Result<bool> {
      auto deleted = tools_.client.delete_droplet(droplet);
      if (deleted) return true;
      if (digitalocean::is_pending_event(deleted.error())) return false;
      return fail(deleted.error());
    }));
    return poll(options_.timeouts.gone, "destroying the builder", [&]() -> Result<bool> {
      auto found = tools_.client.droplet(droplet);
      if (found) return false;
      if (found.error().kind == ErrorKind::not_found) return true;
      return fail(found.error());
    });
  }

  const stack::Stack& stack_;
  std::string service_;
  State state_;
  Tools& tools_;
  const Options& options_;
  plan::Step step_;
  std::chrono::milliseconds began_{0};
  std::string name_;
  std::string digest_;  ///< Of the image that it holds.
  observe::Target target_;
  std::int64_t droplet_ = 0;
};

}  // namespace

Result<digitalocean::Snapshot> save_snapshot(const stack::Stack& stack, const std::string& service,
                                             const lockfile::Lockfile& loaded,
                                             const std::map<std::string, plan::ImageState>& images,
                                             Tools& tools, const Options& options) {
  return Builder(stack, service, loaded, tools, options).make(images);
}

Status remove_builders(const lockfile::Lockfile& loaded, Tools& tools, const Options& options) {
  const stack::Stack none;
  return Builder(none, "", loaded, tools, options).remove_leftovers();
}

}  // namespace paas::reconcile
