// Opens a stack: reads what is on disk, connects to the rest when it is first needed.
#include "session.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "certificates.hpp"
#include "contexts.hpp"
#include "endpoint.hpp"
#include "hooks.hpp"
#include "local_cloud.hpp"
#include "maintenance_page.hpp"
#include "plan/take_back.hpp"
#include "plan/wanted.hpp"
#include "reconcile/registry_logins.hpp"
#include "reconcile/snapshot.hpp"
#include "report/progress.hpp"
#include "stack/parse.hpp"
#include "step_reporter.hpp"
#include "system/curl_http.hpp"
#include "system/system_clock.hpp"

namespace paas::cli {

namespace {

std::string lock_path_of(const std::string& stack_path) {
  return std::filesystem::path(stack_path).replace_extension(".lock").string();
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

lockfile::FileStore store_of(Program& program) {
  auto& ports = program.ports;
  return {ports.files, ports.environment, ports.random, ports.clock,
          lock_path_of(program.globals.file)};
}

docker::Engine engine_of(Program& program) {
  const auto socket = engine_socket_of(program);
  return docker::Engine(program.ports.engine_http, socket.value_or("/var/run/docker.sock"));
}

report::ProgressStyle Session::progress_style() const {
  const auto& wanted = program_.globals.progress;
  if (program_.globals.quiet || wanted == "none") return report::ProgressStyle::none;
  if (wanted == "json") return report::ProgressStyle::json;
  if (wanted == "tty") return report::ProgressStyle::tty;
  if (wanted == "auto" && program_.ports.terminal.error_is_terminal()) {
    return report::ProgressStyle::tty;
  }
  return report::ProgressStyle::plain;
}

Result<std::unique_ptr<Session>> Session::open(Program& program, Need need, Newest newest) {
  std::unique_ptr<Session> session(new Session(program, newest));
  PAAS_CHECK(session->read_stack(need));
  return session;
}

Session::~Session() {
  images_.reset();
  machines_.reset();
  connections_.reset();
}

Status Session::read_stack(Need need) {
  auto& ports = program_.ports;
  stack_path = program_.globals.file;
  folder = folder_of(stack_path);
  store_ = std::make_unique<lockfile::FileStore>(ports.files, ports.environment, ports.random,
                                                 ports.clock, lock_path_of(stack_path));
  if (need != Need::text) PAAS_CHECK(reload());
  if (need == Need::applied && lockfile.applied) {
    stack = *lockfile.applied;
    return {};
  }
  auto text = ports.files.read(stack_path);
  if (!text && text.error().kind != ErrorKind::not_found) {
    return fail(make_error(ErrorKind::invalid, describe(text.error()), text.error().hint));
  }
  if (!text) {
    return fail(ErrorKind::invalid, fmt::format("there is no stack file {}", stack_path),
                "name it with --file, or write one: `man paas.yaml`");
  }
  PAAS_TRY(stack, stack::parse_or_fail(*text, stack_path));
  if (need != Need::text) PAAS_CHECK(read_maintenance_page(program_, stack_path, stack));
  declared.emplace();
  for (const auto& service : stack.services) declared->insert(service.name);
  if (lockfile.applied && lockfile.applied->name != stack.name) {
    return fail(ErrorKind::invalid,
                fmt::format("{} belongs to stack {}, but {} declares stack {}", store_->location(),
                            lockfile.applied->name, stack_path, stack.name),
                "give each stack a file of its own; a stack cannot be renamed");
  }
  return {};
}

Status Session::reload() {
  PAAS_TRY(lockfile, newest_ == Newest::demand ? store_->load() : store_->load_any());
  lockfile.paasctl_version = PAASCTL_VERSION;
  loaded = lockfile;
  for (const auto& warning : store_->warnings()) program_.say("warning: " + warning);
  if (!cloud_) return {};
  return lockfile::bind_cloud(lockfile, *cloud_, loss);
}

Status Session::acquire(const std::string& command) {
  if (guard_) return {};
  PAAS_TRY(guard_, store_->acquire(command));
  return reload();
}

Status Session::start_anew(const std::string& command) {
  PAAS_TRY(guard_, store_->acquire(command));
  PAAS_TRY(lockfile, store_->start_anew());
  lockfile.paasctl_version = PAASCTL_VERSION;
  loaded = lockfile;
  return {};
}

Status Session::save() {
  PAAS_CHECK(store_->save(lockfile));
  loaded = lockfile;
  return {};
}

digitalocean::ClientSettings Session::client_settings(const Endpoint& endpoint) {
  digitalocean::ClientSettings settings;
  settings.url = endpoint.url;
  settings.token = endpoint.token;
  // Waits for the limit may last an hour.
  settings.on_wait = [this](const std::string& text) { program_.say(text); };
  settings.on_retry = [this](const std::string& text) {
    if (program_.globals.verbose) program_.say(text);
  };
  return settings;
}

Result<digitalocean::Client*> Session::client() {
  if (client_) return client_.get();
  PAAS_TRY(auto endpoint, endpoint_for(program_, stack.cloud));
  auto made = std::make_unique<digitalocean::Client>(program_.ports.http, program_.ports.clock,
                                                     client_settings(endpoint));
  PAAS_TRY(const auto account, made->account());
  cloud_ = lockfile::Cloud{endpoint.identity, account.owner};
  PAAS_CHECK(lockfile::bind_cloud(lockfile, *cloud_, loss));
  client_ = std::move(made);
  return client_.get();
}

Status Session::make_scratch() {
  if (scratch_) return {};
  PAAS_TRY(scratch_, Scratch::make(program_.ports, runtime_base(program_.ports.environment)));
  scratch = scratch_->folder();
  if (lockfile.ssh_key) {
    PAAS_CHECK(program_.ports.files.write_atomically(scratch + "/identity",
                                                     lockfile.ssh_key->private_key.reveal(), 0600));
  }
  return {};
}

ssh::Connections& Session::connections() {
  if (!connections_) {
    (void)make_scratch();
    ssh::Settings settings;
    settings.identity_file = scratch + "/identity";
    settings.runtime_folder = scratch;
    connections_ = std::make_unique<ssh::Connections>(
        program_.ports.processes, program_.ports.files, program_.ports.clock, settings);
  }
  return *connections_;
}

observe::SshMachines& Session::machines() {
  if (!machines_) {
    machines_ = std::make_unique<observe::SshMachines>(connections(), program_.ports.engine_http,
                                                       program_.ports.clock);
  }
  return *machines_;
}

docker::Engine& Session::engine() {
  if (!engine_) engine_ = std::make_unique<docker::Engine>(engine_of(program_));
  return *engine_;
}

reconcile::Images& Session::images() {
  if (!images_) {
    // Archives may be larger than the runtime folder, which is in memory.
    if (auto made = Scratch::make(program_.ports, "/tmp")) archives_ = std::move(*made);
    auto& ports = program_.ports;
    images_ = std::make_unique<reconcile::Images>(
        reconcile::ImageTools{engine(), ports.files, ports.processes, ports.environment}, folder,
        (archives_ ? archives_->folder() : "/nonexistent") + "/images");
  }
  return *images_;
}

Result<observe::Observed> Session::observe(observe::Depth depth,
                                           digitalocean::Client::Reading reading) {
  PAAS_CHECK(make_scratch());
  PAAS_TRY(auto* api, client());
  observe::Options options;
  options.depth = depth;
  options.reading = reading;
  options.clock = &program_.ports.clock;
  options.on_wait = [this](const std::string& text) { program_.say(text); };
  PAAS_TRY(auto observed,
           observe::observe(*api, machines(), lockfile, stack.name, stack.region, options));
  for (const auto& [name, server] : observed.servers) {
    if (server.refused) return fail(ErrorKind::unauthorised, server.unreachable);
  }
  return observed;
}

namespace {

/// The images that services run which are not kept at a release: only those have to be built.
stack::Stack to_survey(const plan::Wanted& wanted) {
  auto stack = wanted.stack;
  std::set<std::string> used;
  std::set<std::string> held;
  for (const auto& service : stack.services) {
    (wanted.held.contains(service.name) ? held : used).insert(service.image);
  }
  std::erase_if(stack.images, [&](const auto& image) {
    return held.contains(image.first) && !used.contains(image.first);
  });
  return stack;
}

}  // namespace

std::string Session::who() const {
  for (const auto* name : {"GITHUB_ACTOR", "GITLAB_USER_LOGIN", "USER", "LOGNAME"}) {
    const auto user = program_.ports.environment.get(name);
    if (user && !user->empty()) return *user + "@" + lockfile::host_name();
  }
  std::array<char, 4096> space{};
  passwd entry{};
  passwd* found = nullptr;
  (void)getpwuid_r(geteuid(), &entry, space.data(), space.size(), &found);
  const auto name = found == nullptr ? std::to_string(geteuid()) : std::string(found->pw_name);
  return name + "@" + lockfile::host_name();
}

Result<plan::Input> Session::input(observe::Depth depth, reconcile::WithoutEngine without_engine) {
  plan::Input input;
  PAAS_TRY(const auto certificates, read_certificates(program_, *this));
  certificates_ = certificates.bundles;
  input.certificates = reconcile::digests_of(certificates);
  input.now = std::chrono::duration_cast<std::chrono::seconds>(
                  program_.ports.clock.now().time_since_epoch())
                  .count();
  PAAS_TRY(auto wanted, plan::wanted(stack, lockfile, kept));
  PAAS_TRY(pre_release_, read_pre_release_hooks(program_, *this, wanted));
  for (const auto& [service, hook] : pre_release_) {
    input.pre_release[service] = lockfile::sha256_hex(hook);
  }
  const auto surveyed = to_survey(wanted);
  PAAS_CHECK(check_contexts(program_, *this, surveyed.images));
  PAAS_CHECK(check_engine(program_));
  PAAS_TRY(input.images, images().survey(surveyed, lockfile, without_engine));
  // Without servers in the lockfile there is nothing to compare a list with.
  const auto reading = lockfile.servers.empty() ? digitalocean::Client::Reading::sure
                                                : digitalocean::Client::Reading::quick;
  PAAS_TRY(input.observed, observe(depth, reading));
  plan::note_settled(loaded, input.observed, lockfile);
  input.stack = std::move(wanted.stack);
  input.held = std::move(wanted.held);
  input.lockfile = lockfile;
  input.accept_loss = loss == lockfile::Loss::accept;
  return input;
}

Result<reconcile::Tools> Session::tools() {
  PAAS_CHECK(make_scratch());
  PAAS_TRY(auto* api, client());
  auto& ports = program_.ports;
  return reconcile::Tools{*api,        machines(),  images(),     *store_, ports.processes,
                          ports.files, ports.clock, ports.random, scratch};
}

/// With the names that are confirmed and whose data is not destroyed yet: the next run asks for
/// them again.
std::string Session::resume_hint(const std::vector<plan::DataLoss>& losses,
                                 const reconcile::Outcome& outcome) const {
  std::set<std::string> open_steps;
  for (const auto& failure : outcome.failures) open_steps.insert(failure.step.id);
  for (const auto& step : outcome.not_tried) open_steps.insert(step.id);
  auto command = resume;
  for (const auto& confirmed : losses) {
    // One that leaves is not asked for again.
    if (!confirmed.is_kept && open_steps.contains(confirmed.step))
      command += " --confirm " + confirmed.name;
  }
  return fmt::format("`{}` goes on where this one stopped", command);
}

Status Session::remove_builders() {
  if (lockfile.temporary.empty()) return {};
  PAAS_TRY(auto tools_used, tools());
  PAAS_CHECK(reconcile::remove_builders(lockfile, tools_used, {}));
  return reload();
}

Status Session::remove_builders_in_spite_of_stop() {
  auto& environment = program_.ports.environment;
  system::CurlHttp http({}, environment.get("SSL_CERT_FILE").value_or(""));
  system::SystemClock clock;
  PAAS_TRY(auto endpoint, endpoint_for(program_, stack.cloud));
  digitalocean::Client api(http, clock, client_settings(endpoint));
  PAAS_TRY(auto usual, tools());
  reconcile::Tools undisturbed{api,         usual.machines,  usual.images,
                               usual.store, usual.processes, usual.files,
                               clock,       usual.random,    usual.scratch};
  PAAS_CHECK(reconcile::remove_builders(lockfile, undisturbed, {}));
  return reload();
}

Result<int> Session::execute(const plan::Plan& plan, const plan::Input& input) {
  // Before anything is changed rather than when the build's turn comes.
  for (const auto& step : plan.steps) {
    if (step.kind != plan::StepKind::build_image) continue;
    PAAS_CHECK(images().check_build(input.stack, step.subject));
  }
  PAAS_CHECK(reconcile::check_logins(plan, input.stack, images()));
  PAAS_TRY(auto tools_used, tools());
  // From here on the first signal lets the steps that are under way come to their end.
  const auto patience = program_.ports.interruption.finish_first();
  StepReporter reporter(program_, progress_style());
  reconcile::Options options;
  options.parallelism = program_.globals.parallelism;
  options.certificates = certificates_;
  options.pre_release = pre_release_;
  options.timeouts.canary = canary_time;
  options.who = who();
  options.interrupted = [&] { return program_.ports.interruption.requested(); };
  options.on_event = [&](const reconcile::Event& event) {
    if (timings) timings->note(event, program_.ports.clock.monotonic());
    reporter.tell(event);
  };
  PAAS_TRY(auto outcome,
           reconcile::execute(plan, loaded, input.images, input.restart, tools_used, options));
  lockfile = outcome.lockfile;
  loaded = outcome.lockfile;
  steps_done_ += outcome.done;
  failed.clear();
  for (const auto& failure : outcome.failures) {
    if (!reconcile::is_undecided(failure)) failed.push_back(failure.step);
  }
  const auto hint = resume_hint(plan.losses, outcome);
  if (outcome.interrupted) {
    print_failures(program_, outcome.failures, ErrorKind::interrupted);
    return fail(interruption_of(outcome, steps_done_, hint));
  }
  if (outcome.failures.empty()) return exit_done;
  const auto first = outcome.failures.front();
  outcome.failures.erase(outcome.failures.begin());
  print_failures(program_, outcome.failures, std::nullopt);
  auto error = first.error;
  if (error.hint.empty()) error.hint = hint;
  return fail(std::move(error), plan::describe(first.step));
}

Result<std::string> Session::find_server(const std::string& name) const {
  for (const auto& candidate : {name, stack.name + "-" + name}) {
    if (lockfile.servers.contains(candidate)) return candidate;
  }
  std::vector<std::string> names;
  for (const auto& [known, server] : lockfile.servers) names.push_back(known);
  const auto near = text::nearest(name, names);
  return fail(ErrorKind::not_found, fmt::format("there is no server {}", name),
              near ? fmt::format("did you mean {}?", *near) : "`paasctl server ls` lists them");
}

Result<const stack::Service*> Session::find_service(const std::string& name) const {
  if (const auto* service = stack::find_service(stack, name)) return service;
  std::vector<std::string> names;
  for (const auto& service : stack.services) names.push_back(service.name);
  const auto near = text::nearest(name, names);
  return fail(ErrorKind::not_found, fmt::format("there is no service {}", name),
              near ? fmt::format("did you mean {}?", *near)
                   : fmt::format("the stack has {}", fmt::join(names, ", ")));
}

observe::Target Session::target(const std::string& server) const {
  return observe::target_of(server, lockfile.servers.at(server));
}

}  // namespace paas::cli
