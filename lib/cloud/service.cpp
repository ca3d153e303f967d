// One mutex around the core, one thread that writes the state, and the dispatcher's workers.
#include "cloud/service.hpp"

#include <utility>

#include "cloud/state_json.hpp"

namespace paas::cloud {
namespace {

constexpr std::uint32_t private_mode = 0600;
/// After a failed write (a full disk), before the next attempt.
constexpr std::chrono::milliseconds write_retry{500};

}  // namespace

Service::Service(State state, World& world, Files& files, Clock& clock, ServiceOptions options)
    : world_(world),
      files_(files),
      clock_(clock),
      options_(std::move(options)),
      state_(std::move(state)),
      dispatcher_(world, [this](const EffectDone& done) { on_done(done); }) {}

Service::~Service() { static_cast<void>(stop()); }

Status Service::start() {
  const auto around = surroundings("/v2/vpcs");
  std::uint64_t change = 0;
  {
    const std::lock_guard guard(mutex_);
    change = note_change(resume(state_, around));
  }
  keeper_ = std::thread([this] { keep_changes(); });
  if (!await_kept(change)) {
    const std::lock_guard guard(mutex_);
    return fail(ErrorKind::failed, "writing " + options_.state_file + ": " + write_error_);
  }
  watching_ = true;
  world_.watch(
      [this](std::int64_t droplet_id, bool running) { on_machine_change(droplet_id, running); });
  return {};
}

Surroundings Service::surroundings(const std::string& path_of_request) {
  Surroundings around;
  around.now = clock_.now();
  const bool may_make_vpc = path_of_request == "/v2/vpcs" || path_of_request == "/v2/droplets";
  if (may_make_vpc && options_.host_ranges) around.host_ranges = options_.host_ranges();
  return around;
}

Answer Service::handle(const Request& request) {
  const auto around = surroundings(request.method == "POST" ? request.path : "");
  Outcome outcome;
  std::uint64_t change = 0;
  {
    const std::lock_guard guard(mutex_);
    outcome = cloud::handle(state_, request, around);
    if (!outcome.changed) return std::move(outcome.answer);
    change = note_change(std::move(outcome.effects));
  }
  if (!await_kept(change)) return refuse(request, 500);
  return std::move(outcome.answer);
}

Answer Service::refuse(const Request& request, int status) {
  const auto around = surroundings("");
  const std::lock_guard guard(mutex_);
  return error_answer(state_, request, status, around);
}

std::optional<MetadataAnswer> Service::metadata(const std::string& source_address,
                                                const std::string& path) {
  const std::lock_guard guard(mutex_);
  return cloud::metadata(state_, source_address, path);
}

State Service::state() const {
  const std::lock_guard guard(mutex_);
  return state_;
}

bool Service::wait_until_idle(std::chrono::milliseconds timeout) {
  std::unique_lock guard(mutex_);
  return changed_.wait_for(guard, timeout, [&] { return state_.outstanding.empty(); });
}

std::uint64_t Service::note_change(std::vector<Effect> effects) {
  held_back_.insert(held_back_.end(), std::make_move_iterator(effects.begin()),
                    std::make_move_iterator(effects.end()));
  ++last_change_;
  changed_.notify_all();
  return last_change_;
}

bool Service::await_kept(std::uint64_t change) {
  std::unique_lock guard(mutex_);
  changed_.wait(guard,
                [&] { return kept_change_ >= change || failed_change_ >= change || stopping_; });
  return kept_change_ >= change;
}

void Service::on_done(const EffectDone& done) {
  const auto around = surroundings("");
  std::string failure;
  {
    const std::lock_guard guard(mutex_);
    auto completion = complete(state_, done, around);
    failure = std::move(completion.failure);
    note_change(std::move(completion.effects));
  }
  if (!failure.empty() && options_.log) options_.log(failure);
}

void Service::on_machine_change(std::int64_t droplet_id, bool running) {
  const std::lock_guard guard(mutex_);
  if (machine_changed(state_, droplet_id, running)) note_change({});
}

void Service::keep_changes() {
  std::unique_lock guard(mutex_);
  while (true) {
    changed_.wait(guard, [&] { return stopping_ || last_change_ > kept_change_; });
    if (last_change_ == kept_change_) return;
    const auto change = last_change_;
    const auto copy = state_;
    auto effects = std::exchange(held_back_, {});
    guard.unlock();
    const auto written = files_.write_atomically(options_.state_file, encode(copy), private_mode);
    guard.lock();
    if (written) {
      kept_change_ = change;
      dispatcher_.submit(std::move(effects));
    } else {
      held_back_.insert(held_back_.begin(), std::make_move_iterator(effects.begin()),
                        std::make_move_iterator(effects.end()));
      failed_change_ = change;
      write_error_ = describe(written.error());
      if (options_.log) options_.log("the state cannot be written: " + write_error_);
    }
    changed_.notify_all();
    if (!written) {
      if (stopping_) return;
      changed_.wait_for(guard, write_retry, [&] { return stopping_; });
    }
  }
}

Status Service::stop() {
  // The world lives on, and stops its machines later: nobody here is to hear of that.
  if (std::exchange(watching_, false)) world_.watch([](std::int64_t, bool) {});
  dispatcher_.stop();
  {
    const std::lock_guard guard(mutex_);
    if (stopping_) return {};
    stopping_ = true;
  }
  changed_.notify_all();
  if (keeper_.joinable()) keeper_.join();
  const std::lock_guard guard(mutex_);
  if (kept_change_ == last_change_) return {};
  return fail(ErrorKind::failed, "writing " + options_.state_file + ": " + write_error_);
}

}  // namespace paas::cloud
