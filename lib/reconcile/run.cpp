// What steps share: waiting, telling, and which function does which step.
#include "reconcile/run.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "digitalocean/errors.hpp"
#include "lockfile/names.hpp"
#include "observe/observe.hpp"
#include "plan/take_back.hpp"

namespace paas::reconcile {

Run::Run(const plan::Plan& plan, const lockfile::Lockfile& loaded,
         std::map<std::string, plan::ImageState> images, std::map<std::string, std::string> restart,
         Tools& tools, const Options& options)
    : stack_(plan.lockfile.applied.value_or(stack::Stack{})),
      state_(tools.store, loaded),
      images_(std::move(images)),
      restart_(std::move(restart)),
      held_(plan.held),
      tools_(tools),
      options_(options),
      droplets_(tools.clock, options.timeouts.poll,
                [this] {
                  return tools_.client.droplets_by_tag(lockfile::stack_tag(stack_.name),
                                                       digitalocean::Client::Reading::glance);
                }),
      firewalls_(tools.clock, options.timeouts.poll, [this] { return tools_.client.firewalls(); }),
      logins_(stack_, tools.client, tools.images, tools.clock),
      actions_(tools.client, tools.clock, options.timeouts.poll),
      statistics_([this] {
        return tools_.machines.balancer_command(balancer(),
                                                std::string(haproxy::statistics_command));
      }) {
  for (const auto& [name, server] : loaded.servers) known_before_.insert(name);
  for (const auto& step : plan.steps) {
    if (step.kind == plan::StepKind::retire_container) retiring_.insert(step.server);
    if (step.kind == plan::StepKind::start_container) starting_.insert(step.server);
    if (step.kind == plan::StepKind::delete_volume) destroyed_volumes_.insert(step.subject);
  }
}

Status Run::begin(const plan::Plan& plan) {
  auto random = &tools_.random;
  return state_.change([&](lockfile::Lockfile& lockfile) {
    lockfile = plan.lockfile;
    for (auto& [name, service] : lockfile.services) {
      for (auto& release : service.releases) {
        if (!release.created.empty()) continue;
        release.created = text::timestamp(tools_.clock.now());
        release.by = options_.who;
      }
    }
    for (const auto& declared : stack_.services) {
      if (!declared.credentials) continue;
      auto& entry = lockfile.services[declared.name];
      auto& password = entry.rotation ? entry.rotation->password : entry.password;
      if (password.empty()) password = lockfile::generate_password(*random);
    }
  });
}

Status Run::settle() {
  return state_.change([](auto& lockfile) { plan::note_all_settled(lockfile); });
}

Status Run::perform(const plan::Step& step) {
  using plan::StepKind;
  switch (step.kind) {
    case StepKind::create_key:
      return create_key(step);
    case StepKind::create_vpc:
      return create_vpc(step);
    case StepKind::create_firewall:
    case StepKind::update_firewall:
      return put_firewall(step);
    case StepKind::close_firewall:
      return close_firewall(step);
    case StepKind::delete_firewall:
      return delete_firewall(step);
    case StepKind::build_image:
      return build_image(step);
    case StepKind::create_volume:
      return create_volume(step);
    case StepKind::resize_volume:
      return resize_volume(step);
    case StepKind::tag_volume:
      return tag_volume(step);
    case StepKind::delete_volume:
      return delete_volume(step);
    case StepKind::create_server:
      return create_server(step);
    case StepKind::prepare_server:
      return prepare_server(step);
    case StepKind::tag_server:
      return tag_server(step);
    case StepKind::untag_server:
      return untag_server(step);
    case StepKind::power_on_server:
      return power_on_server(step);
    case StepKind::attach_volume:
      return attach_volume(step);
    case StepKind::send_image:
      return send_image(step);
    case StepKind::keep_warm:
      return keep_warm(step);
    case StepKind::run_pre_release:
      return run_pre_release(step);
    case StepKind::start_container:
      return start_container(step);
    case StepKind::resume_container:
      return resume_container(step);
    case StepKind::set_password:
      return set_password(step);
    case StepKind::retire_password:
      return retire_password(step);
    case StepKind::retire_container:
      return retire_container(step);
    case StepKind::stop_container:
      return stop_container(step);
    case StepKind::create_address:
      return create_address(step);
    case StepKind::assign_address:
      return assign_address(step);
    case StepKind::put_certificates:
      return put_certificates(step);
    case StepKind::move_certificates:
      return move_certificates(step);
    case StepKind::issue_certificates:
      return issue_certificates(step);
    case StepKind::remove_certificates:
      return remove_certificates(step);
    case StepKind::prepare_balancer:
    case StepKind::configure_balancer:
      return configure_balancer(step);
    case StepKind::add_to_rotation:
      return add_to_rotation(step);
    case StepKind::let_in:
      return let_in(step);
    case StepKind::watch_canary:
      return watch_canary(step);
    case StepKind::set_weight:
      return set_weight(step);
    case StepKind::set_maintenance:
      return set_maintenance(step);
    case StepKind::remove_from_rotation:
      return remove_from_rotation(step);
    case StepKind::write_hosts:
      return write_hosts(step);
    case StepKind::delete_server:
      return delete_server(step);
    case StepKind::forget_server:
      return state_.change([&](auto& lockfile) { lockfile.servers.erase(step.server); });
    case StepKind::release_address:
      return release_address(step);
    case StepKind::delete_tags:
      return delete_tags(step);
    case StepKind::delete_vpc:
      return delete_vpc(step);
    case StepKind::delete_key:
      return delete_key(step);
  }
  return fail(ErrorKind::failed, "unknown step");
}

Status Run::poll(std::chrono::milliseconds timeout, const std::string& what,
                 const std::function<Result<bool>()>& condition) {
  return poll(timeout, options_.timeouts.poll, what, condition);
}

Status Run::poll(std::chrono::milliseconds timeout, std::chrono::milliseconds interval,
                 const std::string& what, const std::function<Result<bool>()>& condition) {
  const auto deadline = tools_.clock.monotonic() + timeout;
  while (true) {
    PAAS_TRY(const bool holds, condition());
    if (holds) return {};
    if (tools_.clock.monotonic() >= deadline) {
      return fail(ErrorKind::timed_out,
                  fmt::format("{} took longer than {}", what, text::duration(timeout)));
    }
    PAAS_CHECK(tools_.clock.wait(interval));
  }
}

Status Run::await_action(const digitalocean::Action& action, const std::string& what) {
  actions_.join(action.id);
  auto awaited = poll(options_.timeouts.action, what, [&]() -> Result<bool> {
    PAAS_TRY(auto now, actions_.look(action.id));
    if (now.status == "errored") {
      return fail(ErrorKind::failed, fmt::format("{} failed: action {} errored", what, action.id));
    }
    return now.status == "completed";
  });
  actions_.leave(action.id);
  return awaited;
}

Status Run::when_idle(const std::string& what, const std::function<Status()>& request) {
  return poll(options_.timeouts.action, what, [&]() -> Result<bool> {
    const auto done = request();
    if (done) return true;
    if (digitalocean::is_pending_event(done.error())) return false;
    return fail(done.error());
  });
}

Status Run::bring_about(
    const std::string& what,
    const std::function<Result<std::optional<digitalocean::Action>>()>& attempt) {
  constexpr int lost_answers_max = 2;
  int lost_answers = 0;
  bool was_refused = false;
  return poll(options_.timeouts.action, what, [&]() -> Result<bool> {
    const auto action = attempt();
    if (!action && digitalocean::is_pending_event(action.error())) return false;
    const bool is_lost = !action && action.error().kind == ErrorKind::unreachable;
    if (is_lost && ++lost_answers <= lost_answers_max) return false;
    const bool is_refused = !action && digitalocean::is_refusal(action.error()) &&
                            action.error().kind != ErrorKind::unauthorised;
    if (is_refused && !std::exchange(was_refused, true)) return false;
    if (!action) return fail(action.error());
    if (!*action) return true;
    PAAS_CHECK(await_action(**action, what));
    return false;
  });
}

void Run::tell(Event event) {
  const std::scoped_lock lock(events_mutex_);
  const auto now = tools_.clock.monotonic();
  if (event.kind == EventKind::started) started_[event.step.id] = now;
  const auto started = started_.find(event.step.id);
  if (started != started_.end()) event.elapsed = now - started->second;
  if (options_.on_event) options_.on_event(event);
}

void Run::stage(const plan::Step& step, const std::string& text) {
  Event event;
  event.kind = EventKind::stage;
  event.step = step;
  event.text = text;
  tell(std::move(event));
}

lockfile::Server Run::server(const std::string& name) const {
  return state_.look([&](const lockfile::Lockfile& lockfile) {
    const auto found = lockfile.servers.find(name);
    return found == lockfile.servers.end() ? lockfile::Server{} : found->second;
  });
}

observe::Target Run::target(const std::string& name) const {
  return observe::target_of(name, server(name));
}

const stack::Service& Run::service(const std::string& name) const {
  static const stack::Service none;
  const auto* found = stack::find_service(stack_, name);
  return found == nullptr ? none : *found;
}

}  // namespace paas::reconcile
