// Wires the executor to what is in memory.
#include "reconcile/support/rig.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "lockfile/names.hpp"
#include "stack/parse.hpp"

namespace paas::reconcile::testing {

namespace {

constexpr const char* token = "dop_v1_test";
constexpr const char* url = "http://127.0.0.1:4000";

class MemoryFiles : public Files {
 public:
  Result<std::string> read(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return fail(ErrorKind::not_found, "no such file: " + path);
    return found->second;
  }
  Status write_atomically(const std::string& path, std::string_view content,
                          std::uint32_t) override {
    const std::scoped_lock lock(mutex_);
    files_[path] = content;
    return {};
  }
  Status append(const std::string&, std::string_view) override { return unused(); }
  Result<std::string> read_range(const std::string&, std::uint64_t, std::size_t) override {
    return fail(unused().error());
  }
  Status make_directories(const std::string&, std::uint32_t) override { return {}; }
  Status remove(const std::string&) override { return {}; }
  Status remove_tree(const std::string&) override { return {}; }
  Status rename(const std::string&, const std::string&) override { return unused(); }
  Result<std::optional<FileInfo>> info(const std::string&) override { return std::nullopt; }
  Result<std::vector<std::string>> list(const std::string&) override {
    return std::vector<std::string>{};
  }
  Result<std::unique_ptr<FileGuard>> try_guard(const std::string&, std::string_view) override {
    return std::make_unique<FileGuard>();
  }

 private:
  static Status unused() { return fail(ErrorKind::failed, "not used by the executor"); }
  std::mutex mutex_;
  std::map<std::string, std::string> files_;
};

/// ssh-keygen, whose keys are numbers.
class KeyMaker : public Processes {
 public:
  explicit KeyMaker(Files& files) : files_(files) {}
  Result<ProcessResult> run(const ProcessRequest& request) override {
    const auto path = request.arguments.back();
    const auto length = [](char count) { return std::string(3, '\0') + count; };
    const auto blob =
        length(11) + "ssh-ed25519" + length(32) + fmt::format("{:032}", ++made_ + base_);
    PAAS_CHECK(files_.write_atomically(path, "private " + path, 0600));
    PAAS_CHECK(files_.write_atomically(
        path + ".pub", "ssh-ed25519 " + text::base64_encode(blob) + " comment", 0644));
    return ProcessResult{};
  }
  Result<int> run_attached(const std::vector<std::string>&) override { return 0; }
  Result<int> start_detached(const std::vector<std::string>&, const std::string&) override {
    return 0;
  }
  int base_ = 0;

 private:
  Files& files_;
  std::atomic<int> made_{0};
};

class Numbers : public Random {
 public:
  std::string bytes(std::size_t count) override {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) result += static_cast<char>(++last_ % 200);
    return result;
  }

 private:
  unsigned last_ = 0;
};

/// The lockfile on disk: what was stored stays when the process is killed.
class MemoryStore : public lockfile::Store {
 public:
  MemoryStore(lockfile::Lockfile& stored, Fuse& fuse) : stored_(stored), fuse_(fuse) {}
  Result<std::unique_ptr<lockfile::Guard>> acquire(const std::string&) override {
    return std::make_unique<lockfile::Guard>();
  }
  Result<lockfile::Lockfile> load() override { return stored_; }
  Status save(lockfile::Lockfile& next) override {
    PAAS_CHECK(fuse_.check());
    CHECK(next.serial == stored_.serial);
    ++next.serial;
    stored_ = next;
    return fuse_.spend();
  }
  bool exists() override { return stored_.serial > 0; }
  std::string location() override { return "memory"; }

 private:
  lockfile::Lockfile& stored_;
  Fuse& fuse_;
};

class NoEngine : public Http {
 public:
  Result<HttpResponse> send(const HttpRequest&) override {
    return fail(ErrorKind::unreachable, "no engine is needed here");
  }
};

std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

World::World() {
  cloud.settings.name = "test";
  cloud.settings.token = token;
  cloud.settings.seed = 42;
  cloud.settings.public_range = "198.18.16.0/20";
  cloud.settings.gateway = "198.18.16.1";
  cloud.settings.machine_image = "node:full";
  stored.lineage = "0123456789abcdef0123456789abcdef";
}

std::chrono::system_clock::time_point RigClock::now() {
  return std::chrono::system_clock::time_point(std::chrono::hours(500'000)) + monotonic();
}

Status RigClock::wait(std::chrono::milliseconds duration) {
  PAAS_CHECK(fuse_.check());
  auto before = time_.load();
  while (!time_.compare_exchange_weak(before, before + duration)) {
  }
  return {};
}

/// Its effects end at once, and so do those that they bring.
cloud::Answer CloudHttp::answer(const cloud::Request& request) {
  cloud::Surroundings around;
  around.now = std::chrono::system_clock::time_point(std::chrono::hours(500'000));
  auto outcome = cloud::handle(state_, request, around);
  std::deque<cloud::Effect> open(outcome.effects.begin(), outcome.effects.end());
  while (!open.empty()) {
    auto completion = cloud::complete(state_, {open.front().id, "", 1000}, around);
    open.pop_front();
    open.insert(open.end(), completion.effects.begin(), completion.effects.end());
  }
  return outcome.answer;
}

void CloudHttp::note_look(const std::string& path) {
  if (!path.starts_with("/v2/droplets")) return;
  if (std::count(path.begin(), path.end(), '/') == 3) ++single_looks;
  if (looks_left_ > 0 && --looks_left_ == 0) (void)answer(destruction_);
}

Result<HttpResponse> CloudHttp::send(const HttpRequest& request) {
  return intercept ? intercept(request) : pass(request);
}

Result<HttpResponse> CloudHttp::pass(const HttpRequest& request) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto target = request.url.substr(std::string(url).size());
  cloud::Request translated;
  translated.method = request.method;
  translated.path = decoded(target.substr(0, target.find('?')));
  if (target.find('?') != std::string::npos) {
    for (const auto& pair : text::split(target.substr(target.find('?') + 1), '&')) {
      translated.query[pair.substr(0, pair.find('='))] = decoded(pair.substr(pair.find('=') + 1));
    }
  }
  translated.authorization = std::string("Bearer ") + token;
  translated.body = request.body;
  translated.base_url = url;
  translated.request_id = "request";
  if (request.method == "GET") note_look(translated.path);
  const bool is_late = looks_at_leaving > 0 && request.method == "DELETE" &&
                       translated.path.starts_with("/v2/droplets/");
  if (is_late) {
    destruction_ = translated;
    looks_left_ = looks_at_leaving;
  }
  const auto answered = is_late ? cloud::Answer{204, "", {}} : answer(translated);
  HttpResponse response{answered.status, {}, answered.body};
  for (const auto& [name, value] : answered.headers) response.headers[text::lower(name)] = value;
  if (request.method == "GET") {
    if (early_answers > 0 && translated.path.ends_with("/firewalls") &&
        translated.path.starts_with("/v2/droplets/")) {
      --early_answers;
      response.body = R"({"firewalls": [], "meta": {"total": 0}})";
    }
    return response;
  }
  const auto change = request.method + " " + translated.path;
  changes.push_back(change);
  PAAS_CHECK(fuse_.spend());
  if (change == cut_next) {
    cut_next.clear();
    return fail(ErrorKind::unreachable, "the connection was reset");
  }
  return response;
}

observe::Machine& RigMachines::inside(const observe::Target& target) {
  return insides_.machines[target.name];
}

Status RigMachines::await_ssh(const observe::Target& target, std::chrono::milliseconds) {
  PAAS_CHECK(fuse_.check());
  if (target.address.empty()) return fail(ErrorKind::failed, target.name + " has no address");
  return {};
}
Status RigMachines::await_cloud_init(const observe::Target&, std::chrono::milliseconds) {
  return fuse_.check();
}
Status RigMachines::await_docker(const observe::Target&, std::chrono::milliseconds) {
  return fuse_.check();
}
Result<std::string> RigMachines::make_host_key(const observe::Target& target) {
  PAAS_CHECK(fuse_.check());
  return "ssh-ed25519 second-of-" + target.name;
}
Status RigMachines::use_host_key(const observe::Target&, const std::string&) {
  PAAS_CHECK(fuse_.check());
  return fuse_.spend();
}

Status RigMachines::mount_volume(const observe::Target& target, const observe::VolumeMount& mount) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  inside(target).mounted_volumes.insert(mount.folder.substr(5));
  return fuse_.spend();
}
Status RigMachines::unmount_volume(const observe::Target& target,
                                   const observe::VolumeMount& mount) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  inside(target).mounted_volumes.erase(mount.folder.substr(5));
  return fuse_.spend();
}

Result<observe::Machine> RigMachines::look(const observe::Target& target, const std::string&,
                                           bool is_balancer) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto machine = inside(target);
  if (is_balancer && !machine.balancer) machine.balancer.emplace();
  return machine;
}

Status RigMachines::write_file(const observe::Target&, const std::string&, std::string_view,
                               std::uint32_t) {
  PAAS_CHECK(fuse_.check());
  return fuse_.spend();
}
Status RigMachines::rewrite_in_place(const observe::Target& target, const std::string& path,
                                     std::string_view content) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (path == "/etc/paas/hosts") inside(target).hosts = content;
  return fuse_.spend();
}

Result<ProcessResult> RigMachines::run(const observe::Target& target,
                                       const observe::RemoteCommand& command) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  ProcessResult result;
  if (command.arguments.front() == "cat" && inside(target).balancer) {
    result.output = inside(target).balancer->configuration;
  }
  if (command.arguments.front() == "resize2fs") {
    insides_.grown.push_back(command.arguments.back());
    PAAS_CHECK(fuse_.spend());
  }
  return result;
}

Result<bool> RigMachines::send_image(const observe::Target&, const docker::SavedImage&,
                                     const observe::OnBytes&) {
  return fail(ErrorKind::failed, "images are pulled here");
}
Result<std::string> RigMachines::pull_image(const observe::Target& target,
                                            const std::string& reference) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto digest = (moved ? "sha256:newer-digest-of-" : "sha256:digest-of-") + reference;
  inside(target).image_digests.insert(digest);
  PAAS_CHECK(fuse_.spend());
  return digest;
}

observe::Container* RigMachines::find(const observe::Target& target, const std::string& name) {
  for (auto& container : inside(target).containers) {
    if (container.name == name) return &container;
  }
  return nullptr;
}

Status RigMachines::start_container(const observe::Target& target,
                                    const docker::ContainerSpec& spec) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (find(target, spec.name) != nullptr) return fail(ErrorKind::exists, "the name is taken");
  const auto slot = std::stoi(spec.labels.at("paas.slot"));
  for (const auto& other : inside(target).containers) {
    if (other.state != "exited" && other.slot == slot) {
      return fail(ErrorKind::failed, "port is already allocated");
    }
  }
  observe::Container container;
  container.name = spec.name;
  container.service = spec.labels.at("paas.service");
  container.release = std::stoi(spec.labels.at("paas.release"));
  container.slot = slot;
  container.image_digest = spec.labels.at("paas.image");
  container.shape = spec.labels.at("paas.shape");
  container.state = broken.contains(container.service) ? "exited" : "running";
  const auto names = text::split(spec.labels.at("paas.variables"), ',');
  for (const auto& variable : spec.environment) {
    const auto name = variable.substr(0, variable.find('='));
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      container.environment[name] = variable.substr(name.size() + 1);
    }
  }
  inside(target).containers.push_back(std::move(container));
  return fuse_.spend();
}

Status RigMachines::change_container(const observe::Target& target, const std::string& name,
                                     const std::string& state) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (auto* container = find(target, name)) container->state = state;
  return fuse_.spend();
}
Status RigMachines::resume_container(const observe::Target& target, const std::string& name) {
  return change_container(target, name, "running");
}
Status RigMachines::stop_container(const observe::Target& target, const std::string& name) {
  return change_container(target, name, "exited");
}
Status RigMachines::remove_container(const observe::Target& target, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  if (find(target, name) == nullptr) return {};
  std::erase_if(inside(target).containers,
                [&](const auto& container) { return container.name == name; });
  return fuse_.spend();
}

Result<std::optional<docker::ContainerInfo>> RigMachines::container(const observe::Target& target,
                                                                    const std::string& name) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto* container = find(target, name);
  if (container == nullptr) return std::nullopt;
  docker::ContainerInfo info;
  info.name = name;
  info.state = container->state;
  info.exit_code = container->state == "running" ? 0 : 3;
  return info;
}
Result<std::string> RigMachines::recent_logs(const observe::Target&, const std::string&, int) {
  PAAS_CHECK(fuse_.check());
  return "its last words\n";
}
Result<bool> RigMachines::healthy(const observe::Target&, const std::string& container, int,
                                  const std::string&, int) {
  PAAS_CHECK(fuse_.check());
  if (container == interrupted_at) return fail(ErrorKind::interrupted, "interrupted");
  return !unhealthy.contains(container);
}

/// HAProxy's Runtime API, as far as the executor uses it; every check passes at once.
Result<std::string> RigMachines::balancer_command(const observe::Target& target,
                                                  const std::string& command) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy || !haproxy->running) return fail(ErrorKind::failed, "no admin socket");
  if (command == "show stat") {
    std::string csv =
        "# pxname,svname,qcur,scur,stot,status,weight,type,rate,check_status,hrsp_5xx,addr,\n";
    for (const auto& [backend, names] : haproxy->known) {
      for (const auto& name : names) {
        const bool in = haproxy->in_rotation[backend].contains(name);
        csv += fmt::format("{},{},0,0,0,UP,{},2,0,L7OK,0,{},\n", backend, name, in ? 10 : 0,
                           insides_.addresses[backend][name]);
      }
    }
    return csv + "stats,BACKEND,0,0,0,UP,0,1,0,,0,,\n\n";
  }
  const auto words = text::split(command, ' ');
  const auto subject = text::split(words.at(words[0] == "shutdown" ? 3 : 2), '/');
  const auto& backend = subject.at(0);
  const auto& name = subject.at(1);
  std::string answer = "\n";
  if (words[0] == "add") {
    haproxy->known[backend].insert(name);
    insides_.addresses[backend][name] = words.at(3);
    answer = "New server registered.\n";
  } else if (!haproxy->known[backend].contains(name)) {
    return "No such server.\n";
  } else if (words[0] == "del") {
    haproxy->known[backend].erase(name);
    answer = "Server deleted.\n";
  } else if (words[0] == "set" && words.at(3) == "weight") {
    haproxy->in_rotation[backend].insert(name);
  } else if (words[0] == "set" && words.at(4) != "ready") {
    haproxy->in_rotation[backend].erase(name);
  }
  PAAS_CHECK(fuse_.spend());
  return answer;
}

Status RigMachines::install_balancer(const observe::Target& target, std::string_view configuration,
                                     Reload reload) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  auto& haproxy = inside(target).balancer;
  if (!haproxy) haproxy.emplace();
  haproxy->configuration = configuration;
  if (reload == Reload::yes) {
    // The file is in place before HAProxy reads it.
    PAAS_CHECK(fuse_.spend());
    ++insides_.reloads;
    haproxy->running = true;
    haproxy->mark = haproxy::mark_of(configuration);
    haproxy->known.clear();
    for (const auto& backend : haproxy::servers_of(configuration)) {
      for (const auto& server : backend.servers) {
        haproxy->known[backend.name].insert(server.name);
        insides_.addresses[backend.name][server.name] =
            fmt::format("{}:{}", server.address, server.port);
      }
    }
    haproxy->in_rotation = haproxy->known;
  }
  return fuse_.spend();
}

struct Rig::Ports {
  explicit Ports(Rig& rig)
      : keys(files),
        store(rig.world.stored, rig.fuse),
        engine(no_engine, "/nowhere"),
        images(engine, files, ".", "/scratch/images"),
        client(rig.http, rig.clock, {url, Secret(token), {}, [] { return 0.5; }}) {
    // Keys of this run differ from those of the runs before.
    keys.base_ = static_cast<int>(rig.world.stored.serial) * 1000;
  }
  MemoryFiles files;
  KeyMaker keys;
  Numbers random;
  MemoryStore store;
  NoEngine no_engine;
  docker::Engine engine;
  Images images;
  digitalocean::Client client;
};

Rig::Rig(World& kept, std::string_view yaml) : world(kept) {
  auto result = stack::parse(yaml);
  for (const auto& problem : result.problems) FAIL(stack::render(problem, "paas.yaml"));
  stack = result.stack;
  ports_ = std::make_unique<Ports>(*this);
  options.parallelism = 1;
  options.on_event = [this](const Event& event) { events.push_back(event); };
}

Rig::~Rig() = default;

Result<plan::Input> Rig::input() {
  plan::Input input;
  input.stack = stack;
  PAAS_TRY(input.lockfile, ports_->store.load());
  PAAS_TRY(input.images, ports_->images.survey(stack, input.lockfile));
  PAAS_TRY(input.observed, observe::observe(ports_->client, machines, input.lockfile, stack.name,
                                            stack.region, {observe::Depth::machines, 1}));
  return input;
}

Result<plan::Plan> Rig::plan() {
  PAAS_TRY(auto known, input());
  return plan::make(known);
}

Result<Outcome> Rig::up() {
  PAAS_TRY(auto known, input());
  PAAS_TRY(auto made, plan::make(known));
  return execute(made, known.lockfile, known.images);
}

Result<Outcome> Rig::down(plan::Volumes volumes) {
  PAAS_TRY(auto known, input());
  PAAS_CHECK(plan::check_owner(stack.name, known.lockfile, known.observed));
  PAAS_CHECK(plan::check_found(known.lockfile, known.observed));
  return execute(plan::make_down(known.lockfile, known.observed, volumes), known.lockfile, {});
}

Result<digitalocean::Snapshot> Rig::save_snapshot(const std::string& service) {
  PAAS_TRY(auto known, input());
  auto used = tools();
  return reconcile::save_snapshot(stack, service, known.lockfile, known.images, used, options);
}

Status Rig::remove_builders() {
  PAAS_TRY(const auto loaded, ports_->store.load());
  auto used = tools();
  return reconcile::remove_builders(loaded, used, options);
}

Tools Rig::tools() {
  return {ports_->client, machines, ports_->images, ports_->store, ports_->keys,
          ports_->files,  clock,    ports_->random, "/scratch"};
}

Result<Outcome> Rig::execute(const plan::Plan& plan, const lockfile::Lockfile& loaded,
                             const std::map<std::string, plan::ImageState>& images) {
  auto used = tools();
  return reconcile::execute(plan, loaded, images, {}, used, options);
}

}  // namespace paas::reconcile::testing
