// What the commands do between the ports: guard, look, plan, execute.
#include "crash/support/process.hpp"

#include <map>

#include "base/text.hpp"
#include "docker/engine.hpp"
#include "lockfile/cloud.hpp"
#include "lockfile/store.hpp"
#include "observe/observe.hpp"
#include "plan/catch_up.hpp"
#include "plan/counts.hpp"
#include "plan/wanted.hpp"
#include "plan/weights.hpp"
#include "reconcile/images.hpp"
#include "reconcile/support/cloud_request.hpp"
#include "reconcile/support/key_maker.hpp"
#include "reconcile/support/no_engine.hpp"
#include "stack/parse.hpp"
#include "system/support/variables.hpp"

namespace paas::crash {
namespace {

using reconcile::testing::cloud_token;
using reconcile::testing::cloud_url;

constexpr const char* lock_path = "/home/user/shop/paas.lock";
constexpr const char* scratch = "/scratch";

/// Another sequence in each run, and the same one when a run is repeated.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::string bytes(std::size_t count) override {
    const std::scoped_lock lock(mutex_);
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      result += static_cast<char>(state_ >> 33 & 0xff);
    }
    return result;
  }

 private:
  std::mutex mutex_;
  std::uint64_t state_;
};

/// The same few texts are read some ten thousand times.
Result<stack::Stack> parsed(const std::string& yaml) {
  static std::mutex mutex;
  static std::map<std::string, stack::Stack> known;
  const std::scoped_lock lock(mutex);
  const auto found = known.find(yaml);
  if (found != known.end()) return found->second;
  PAAS_TRY(auto stack, stack::parse_or_fail(yaml, "paas.yaml"));
  return known[yaml] = std::move(stack);
}

/// Polls seldom, so that there are not more moments than differ from each other.
reconcile::Options options_of(const Command& command, const Trial& trial) {
  reconcile::Options options;
  if (command.has_hook) options.pre_release["web"] = "#!/bin/sh\nmigrate\n";
  options.parallelism = trial.parallelism;
  options.timeouts.poll = Milliseconds(3'000);
  options.timeouts.health = Milliseconds(3'000);
  return options;
}

class Process {
 public:
  Process(World& world, const Command& command, const Trial& trial)
      : command_(command),
        operations_(trial.fault),
        clock_(world, fuse_, mutex_, trial.clock_jump),
        http_(world, fuse_, operations_, mutex_),
        servers_(world, fuse_, operations_, clock_, mutex_),
        files_(world.disk, fuse_, operations_, scratch),
        random_(static_cast<std::uint64_t>(world.time.count())),
        keys_(files_, static_cast<int>(world.time.count())),
        store_(files_, environment_, random_, clock_, lock_path),
        engine_(no_engine_, "/nowhere"),
        images_({engine_, files_, keys_, environment_}, ".", "/scratch/images"),
        client_(http_, clock_, {cloud_url, Secret(cloud_token), {}, {}, [] { return 0.5; }}),
        options_(options_of(command, trial)) {
    fuse_.set(trial.effects);
    if (command.has_hook) world.insides.hooked = {"web"};
  }

  End work() {
    const auto status = carry_out();
    if (!status) errors_.push_back(status.error());
    End end;
    end.stopped = fuse_.blown();
    end.struck = operations_.struck();
    end.errors = std::move(errors_);
    end.effects = fuse_.spent();
    end.unsettled = files_.unsettled();
    end.operations = operations_.all();
    end.changes = http_.changes();
    end.steps = std::move(steps_);
    return end;
  }

  Result<lockfile::Lockfile> load() { return store_.load(); }

 private:
  bool is_down() const { return command_.verb == Verb::down || command_.verb == Verb::destroy; }

  /// As Session::open() and acquire() do.
  Status open() {
    PAAS_TRY(lockfile_, store_.load());
    PAAS_TRY(stack_, parsed(command_.yaml));
    PAAS_TRY(guard_, store_.acquire("paasctl"));
    PAAS_TRY(lockfile_, store_.load());
    loaded_ = lockfile_;
    PAAS_TRY(const auto account, client_.account());
    return lockfile::bind_cloud(lockfile_, {cloud_url, account.owner}, lockfile::Loss::refuse);
  }

  Status prepare() {
    switch (command_.verb) {
      case Verb::scale:
        lockfile_.services[command_.subject].count = command_.count;
        return {};
      case Verb::server_up:
        return plan::add_one(lockfile_, *stack::find_service(stack_, command_.subject));
      case Verb::server_down:
        return plan::take_out(lockfile_, stack_, command_.subject);
      case Verb::rollback:
        PAAS_CHECK(plan::check_release(lockfile_, command_.subject, command_.count));
        lockfile_.services[command_.subject].pinned = command_.count;
        return {};
      default:
        return {};
    }
  }

  Result<plan::Input> look(observe::Depth depth) {
    plan::Input input;
    PAAS_TRY(auto wanted, plan::wanted(stack_, lockfile_));
    input.stack = std::move(wanted.stack);
    input.held = std::move(wanted.held);
    input.lockfile = lockfile_;
    for (const auto& [service, hook] : options_.pre_release) input.pre_release[service] = hook;
    if (command_.verb == Verb::rollback) input.rollout.strategy = plan::Strategy::bluegreen;
    if (command_.verb == Verb::canary) input.rollout.strategy = plan::Strategy::canary;
    PAAS_TRY(input.images, images_.survey(input.stack, lockfile_));
    observe::Options options;
    options.depth = depth;
    options.parallelism = options_.parallelism;
    options.clock = &clock_;
    PAAS_TRY(input.observed,
             observe::observe(client_, servers_, lockfile_, stack_.name, stack_.region, options));
    for (const auto& [name, server] : input.observed.servers) {
      if (server.refused) return fail(ErrorKind::unauthorised, server.unreachable);
    }
    if (command_.verb == Verb::rotate) input.rotate[command_.subject] = "its password is rotated";
    if (command_.verb == Verb::replace) input.replace[command_.subject] = "you asked for it";
    return input;
  }

  /// As `state accept` does.
  Status accept() {
    PAAS_TRY(stack_, parsed(command_.yaml));
    PAAS_TRY(guard_, store_.acquire("paasctl"));
    PAAS_TRY(lockfile_, store_.load_any());
    PAAS_TRY(const auto input, look(observe::Depth::machines));
    (void)plan::catch_up(stack_, input.observed, lockfile_);
    return store_.save(lockfile_);
  }

  /// As apply_change() and `down` do.
  Status carry_out() {
    if (command_.verb == Verb::accept) return accept();
    PAAS_CHECK(open());
    if (is_down()) return take_down();
    if (command_.verb == Verb::weigh) return weigh();
    PAAS_CHECK(prepare());
    PAAS_TRY(auto input, look(observe::Depth::machines));
    PAAS_TRY(auto plan, plan::make(input));
    if (plan.empty() && plan.lockfile == loaded_) return reach(plan);
    PAAS_TRY(const bool done, execute(plan, input.images));
    const bool has_woken = std::any_of(plan.steps.begin(), plan.steps.end(), [](const auto& step) {
      return step.kind == plan::StepKind::power_on_server;
    });
    if (done && has_woken) {
      PAAS_TRY(input, look(observe::Depth::machines));
      PAAS_TRY(plan, plan::make(input));
      PAAS_CHECK(execute(plan, input.images));
    }
    return reach(plan);
  }

  Status weigh() {
    PAAS_TRY(const auto plan,
             plan::weigh(lockfile_, command_.subject, command_.count, plan::Emptying::refuse));
    PAAS_CHECK(execute(plan, {}));
    return {};
  }

  Status take_down() {
    if (lockfile_.applied) stack_ = *lockfile_.applied;
    PAAS_TRY(const auto input, look(observe::Depth::cloud));
    PAAS_CHECK(plan::check_owner(stack_.name, lockfile_, input.observed));
    PAAS_CHECK(plan::check_found(lockfile_, input.observed));
    const auto volumes =
        command_.verb == Verb::destroy ? plan::Volumes::destroy : plan::Volumes::keep;
    const auto plan = plan::make_down(lockfile_, input.observed, volumes);
    if (plan.empty() && (loaded_.serial == 0 || plan.lockfile == loaded_)) return {};
    PAAS_CHECK(execute(plan, {}));
    return {};
  }

  Result<bool> execute(const plan::Plan& plan,
                       const std::map<std::string, plan::ImageState>& images) {
    for (const auto& step : plan.steps) steps_.push_back(step.id + ": " + step.cause);
    reconcile::Tools tools{client_, servers_, images_, store_, keys_,
                           files_,  clock_,   random_, scratch};
    PAAS_TRY(auto outcome, reconcile::execute(plan, loaded_, images, {}, tools, options_));
    lockfile_ = outcome.lockfile;
    loaded_ = outcome.lockfile;
    for (auto& failure : outcome.failures) {
      errors_.push_back(with_context(std::move(failure.error), failure.step.id));
    }
    return outcome.failures.empty();
  }

  /// Nobody may take a stack for being as its file says when servers of it did not answer.
  Status reach(const plan::Plan& plan) {
    if (plan.unreached.empty()) return {};
    return fail(ErrorKind::unreachable, text::join(plan.warnings, "; "));
  }

  const Command& command_;
  reconcile::testing::Fuse fuse_;
  std::recursive_mutex mutex_;
  Operations operations_;
  WorldClock clock_;
  ProviderHttp http_;
  Servers servers_;
  DiskFiles files_;
  tests::Variables environment_{{{"HOME", "/home/user"}}};
  SeededRandom random_;
  reconcile::testing::KeyMaker keys_;
  lockfile::FileStore store_;
  reconcile::testing::NoEngine no_engine_;
  docker::Engine engine_;
  reconcile::Images images_;
  digitalocean::Client client_;
  reconcile::Options options_;
  stack::Stack stack_;
  lockfile::Lockfile lockfile_;
  lockfile::Lockfile loaded_;
  std::unique_ptr<lockfile::Guard> guard_;
  std::vector<Error> errors_;
  std::vector<std::string> steps_;
};

}  // namespace

End run(World& world, const Command& command, const Trial& trial) {
  return Process(world, command, trial).work();
}

Result<lockfile::Lockfile> read_lockfile(World& world) { return Process(world, {}, {}).load(); }

}  // namespace paas::crash
