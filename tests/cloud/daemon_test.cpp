// Tests of the cloud's process, run as a thread here; scenarios run it as the real one.
#include "cloud/daemon.hpp"

#include <doctest/doctest.h>
#include <httplib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "cloud/state_json.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/variables.hpp"
#include "system/system_clock.hpp"
#include "system/system_random.hpp"

using namespace paas::cloud;
using namespace std::chrono_literals;

namespace {

class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "cloud-test-XXXXXX").string();
    REQUIRE(mkdtemp(path.data()) != nullptr);
    root_ = path;
  }
  ~Folder() { std::filesystem::remove_all(root_); }
  std::string path() const { return root_ + "/cloud"; }

 private:
  std::string root_;
};

class Daemon {
 public:
  explicit Daemon(const CloudSettings& settings) : settings_(settings) {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      result_.set_value(run(settings_, {files, clock, random, {}, [](std::string_view) {}}, stop));
    });
  }

  Endpoint await() {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const auto found = endpoint(files, settings_.state_folder);
      REQUIRE(found);
      if (*found) return **found;
      REQUIRE(clock.wait(10ms));
    }
    FAIL("the cloud does not answer");
    return {};
  }

  paas::Status end() {
    thread_.request_stop();
    return result_.get_future().get();
  }

  paas::system::PosixFiles files;
  paas::system::SystemClock clock;
  paas::system::SystemRandom random;

 private:
  CloudSettings settings_;
  std::promise<paas::Status> result_;
  std::jthread thread_;
};

CloudSettings records_in(const Folder& folder) {
  CloudSettings settings;
  settings.state_folder = folder.path();
  settings.metadata_only = true;
  return settings;
}

int status_at(const Endpoint& endpoint, const std::string& path) {
  httplib::Client client(endpoint.url);
  client.set_default_headers({{"Authorization", "Bearer " + endpoint.token}});
  const auto answer = client.Get(path);
  return answer ? answer->status : 0;
}

/// What was asked of the worlds that a folder's cloud was given.
struct Worlds {
  std::vector<std::string> asked;
  int running = 0;
  std::string taken;  ///< A public range that the machine needs for something else.

  RunPorts ports() {
    WorldMaker maker;
    maker.make_world =
        [this](const WorldSettings& settings) -> paas::Result<std::unique_ptr<World>> {
      return std::make_unique<Recorder>(*this, settings);
    };
    return {files, clock, random, maker, [](std::string_view) {}};
  }

  class Recorder : public World {
   public:
    Recorder(Worlds& worlds, const WorldSettings& settings)
        : worlds_(worlds), name_(settings.name), range_(settings.public_range) {}
    paas::Result<ServiceAddresses> start() override {
      worlds_.asked.push_back("start " + range_);
      if (range_ == worlds_.taken) return paas::fail(paas::ErrorKind::exists, "taken");
      return ServiceAddresses{};
    }
    EffectDone apply(const Effect& effect) override { return {effect.id, "", 0}; }
    void watch(std::function<void(std::int64_t, bool)>) override {}
    paas::Status stop() override { return note("stop"); }
    paas::Result<int> running_machines() override { return worlds_.running; }
    paas::Status purge() override { return note("purge"); }

   private:
    paas::Status note(const std::string& what) {
      worlds_.asked.push_back(what + " " + name_);
      return {};
    }
    Worlds& worlds_;
    std::string name_;
    std::string range_;
  };

  paas::system::PosixFiles files;
  paas::system::SystemClock clock;
  paas::system::SystemRandom random;
};

/// The state of a cloud with machines that was made under another name than its folder has now.
void write_state(Worlds& worlds, const Folder& folder) {
  State state;
  state.settings.name = "c0ffee";
  state.settings.public_range = "198.18.32.0/20";
  REQUIRE(worlds.files.make_directories(folder.path(), 0700));
  REQUIRE(worlds.files.write_atomically(state_file(folder.path()), encode(state), 0600));
}

}  // namespace

TEST_CASE("cloud: a cloud that was ended is the same one when it runs again") {
  const Folder folder;
  Endpoint first;
  {
    Daemon daemon(records_in(folder));
    first = daemon.await();
    CHECK(first.token.rfind("dop_v1_", 0) == 0);
    CHECK(first.token.size() == 7 + 64);
    CHECK(first.process == getpid());
    httplib::Client client(first.url);
    client.set_default_headers({{"Authorization", "Bearer " + first.token}});
    CHECK(client.Post("/v2/tags", R"({"name": "kept"})", "application/json")->status == 201);
    CHECK(status(daemon.files, folder.path())->phase == CloudPhase::running);
    CHECK(daemon.end());
    CHECK(status(daemon.files, folder.path())->phase == CloudPhase::stopped);
    CHECK_FALSE(*endpoint(daemon.files, folder.path()));
  }
  Daemon again(records_in(folder));
  const auto second = again.await();
  CHECK(second.token == first.token);
  CHECK(second.name == first.name);
  CHECK(status_at(second, "/v2/tags/kept") == 200);
  CHECK(again.end());
}

TEST_CASE("cloud: one folder has one process") {
  const Folder folder;
  Daemon daemon(records_in(folder));
  daemon.await();
  const auto second =
      run(records_in(folder), {daemon.files, daemon.clock, daemon.random, {}, [](auto) {}}, {});
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == paas::ErrorKind::guard_held);
  CHECK(purge({daemon.files, daemon.clock, daemon.random, {}, [](auto) {}}, folder.path())
            .error()
            .kind == paas::ErrorKind::guard_held);
  CHECK(daemon.end());
}

TEST_CASE("cloud: the endpoint of a killed process is not believed") {
  const Folder folder;
  paas::system::PosixFiles files;
  REQUIRE(files.make_directories(folder.path(), 0700));
  REQUIRE(write_endpoint(files, folder.path(), {"http://127.0.0.1:1", "token", 1, "c0", ""}));
  CHECK_FALSE(*endpoint(files, folder.path()));
  Daemon daemon(records_in(folder));
  CHECK(daemon.await().url != "http://127.0.0.1:1");
  CHECK(daemon.end());
}

TEST_CASE("cloud: a broken state is an error and stays as it is") {
  const Folder folder;
  paas::system::PosixFiles files;
  REQUIRE(files.make_directories(folder.path(), 0700));
  REQUIRE(files.write_atomically(state_file(folder.path()), "{\"version\": 1", 0600));
  Daemon daemon(records_in(folder));
  const auto ended = daemon.end();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == paas::ErrorKind::invalid);
  CHECK(*files.read(state_file(folder.path())) == "{\"version\": 1");
}

TEST_CASE("cloud: a cloud of records does not become one of machines") {
  const Folder folder;
  {
    Daemon daemon(records_in(folder));
    daemon.await();
    CHECK(daemon.end());
  }
  auto settings = records_in(folder);
  settings.metadata_only = false;
  Daemon daemon(settings);
  const auto ended = daemon.end();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().kind == paas::ErrorKind::invalid);
}

TEST_CASE("cloud: purging leaves nothing in the folder, and what is not ours alone") {
  const Folder folder;
  Daemon daemon(records_in(folder));
  daemon.await();
  CHECK(daemon.end());
  const paas::cloud::RunPorts ports{daemon.files, daemon.clock, daemon.random, {}, [](auto) {}};
  const auto foreign = folder.path() + "/notes.txt";
  REQUIRE(daemon.files.write_atomically(foreign, "mine", 0600));
  CHECK(purge(ports, folder.path()));
  CHECK(*daemon.files.list(folder.path()) == std::vector<std::string>{"notes.txt"});
  REQUIRE(daemon.files.remove(foreign));
  CHECK(status(daemon.files, folder.path())->phase == CloudPhase::absent);
  CHECK(purge(ports, folder.path()));
  CHECK_FALSE(*daemon.files.info(folder.path()));
  CHECK(purge(ports, folder.path()));
}

TEST_CASE("cloud: purging looks for the machines of a folder that was removed") {
  const Folder folder;
  Worlds worlds;
  CHECK(purge(worlds.ports(), folder.path()));
  CHECK(worlds.asked == std::vector<std::string>{"purge " + name_of_folder(folder.path())});
  CHECK_FALSE(*worlds.files.info(folder.path()));
}

TEST_CASE("cloud: a cloud keeps its name when its folder was moved") {
  const Folder folder;
  Worlds worlds;
  write_state(worlds, folder);
  CHECK(status(worlds.files, folder.path())->name == "c0ffee");
  CHECK(purge(worlds.ports(), folder.path()));
  CHECK(worlds.asked == std::vector<std::string>{"purge c0ffee"});
}

TEST_CASE("cloud: the machines that a killed process left are counted and stopped") {
  const Folder folder;
  Worlds worlds;
  worlds.running = 3;
  CHECK(*running_machines(worlds.ports(), folder.path()) == 0);
  CHECK(stop_machines(worlds.ports(), folder.path()));
  CHECK(worlds.asked.empty());
  write_state(worlds, folder);
  CHECK(*running_machines(worlds.ports(), folder.path()) == 3);
  CHECK(stop_machines(worlds.ports(), folder.path()));
  CHECK(worlds.asked == std::vector<std::string>{"stop c0ffee"});
  const auto guard = worlds.files.try_guard(guard_file(folder.path()), "1");
  REQUIRE(*guard);
  CHECK(stop_machines(worlds.ports(), folder.path()).error().kind == paas::ErrorKind::guard_held);
}

TEST_CASE("cloud: a range that something else took is chosen again while nobody has an address") {
  const Folder folder;
  Worlds worlds;
  write_state(worlds, folder);
  worlds.taken = "198.18.32.0/20";
  CloudSettings settings;
  settings.state_folder = folder.path();
  settings.node_image = "node:full";
  std::stop_source ended;
  ended.request_stop();
  CHECK(run(settings, worlds.ports(), ended.get_token()));
  REQUIRE(worlds.asked.size() == 3);
  CHECK(worlds.asked[0] == "start 198.18.32.0/20");
  auto state = *decode(*worlds.files.read(state_file(folder.path())));
  CHECK(worlds.asked[1] == "start " + state.settings.public_range);
  CHECK(state.settings.public_range != worlds.taken);

  // A droplet has its address for life.
  worlds.taken = state.settings.public_range;
  state.droplets[7].id = 7;
  REQUIRE(worlds.files.write_atomically(state_file(folder.path()), encode(state), 0600));
  CHECK(run(settings, worlds.ports(), ended.get_token()).error().kind == paas::ErrorKind::exists);
}

TEST_CASE("cloud: what cannot be started is not written down") {
  const Folder folder;
  Worlds worlds;
  paas::system::PosixProcesses processes;
  const StartPorts ports{worlds.files, worlds.clock, processes};
  auto settings = records_in(folder);
  settings.address = "nowhere";
  CHECK(start(settings, ports, {"false"}).error().kind == paas::ErrorKind::usage);
  CHECK_FALSE(*worlds.files.info(folder.path()));
  write_state(worlds, folder);
  CHECK(start(records_in(folder), ports, {"false"}).error().kind == paas::ErrorKind::invalid);
  CHECK_FALSE(*worlds.files.info(settings_file(folder.path())));
}

TEST_CASE("cloud: settings come back as they were written") {
  const Folder folder;
  paas::system::PosixFiles files;
  auto settings = records_in(folder);
  settings.latency = 20ms;
  settings.node_choice = "bare";
  settings.engine_socket = "/run/own/docker.sock";
  REQUIRE(files.make_directories(folder.path(), 0700));
  REQUIRE(write_settings(files, settings));
  const auto read = read_settings(files, folder.path());
  REQUIRE(read);
  CHECK(read->latency == 20ms);
  CHECK(read->node_choice == "bare");
  CHECK(read->engine_socket == "/run/own/docker.sock");
}

TEST_CASE("cloud: a process that is no cloud is not signalled for the guard's sake") {
  const Folder folder;
  paas::system::PosixFiles files;
  paas::system::SystemClock clock;
  REQUIRE(files.make_directories(folder.path(), 0700));
  const pid_t other = fork();
  REQUIRE(other >= 0);
  if (other == 0) {
    pause();
    _exit(0);
  }
  const auto guard = files.try_guard(guard_file(folder.path()), std::to_string(other));
  REQUIRE(*guard);
  CHECK(stop(files, clock, folder.path(), 50ms).error().kind == paas::ErrorKind::timed_out);
  // The first signal that a process gets is the one that ends it.
  int ended = 0;
  kill(other, SIGKILL);
  waitpid(other, &ended, 0);
  CHECK(WTERMSIG(ended) == SIGKILL);
}

TEST_CASE("cloud: a process that ends before it answers is an error with its last words") {
  const Folder folder;
  paas::system::PosixFiles files;
  paas::system::SystemClock clock;
  paas::system::PosixProcesses processes;
  std::string seen;
  const auto started =
      start(records_in(folder),
            {files, clock, processes, [&](std::string_view line) { seen += std::string(line); }},
            {"sh", "-c", "echo the disk is on fire; exit 3"}, 20s);
  REQUIRE_FALSE(started);
  CHECK(started.error().message.find("the disk is on fire") != std::string::npos);
  CHECK(seen == "the disk is on fire");
  CHECK(read_settings(files, folder.path())->metadata_only);
}

TEST_CASE("cloud: stopping a cloud that does not run is no error") {
  const Folder folder;
  paas::system::PosixFiles files;
  paas::system::SystemClock clock;
  const auto stopped = stop(files, clock, folder.path());
  REQUIRE(stopped);
  CHECK(*stopped == Stopped::did_not_run);
}

TEST_CASE("cloud: a folder's name is its real path's") {
  const Folder folder;
  std::filesystem::create_directories(folder.path());
  std::filesystem::create_symlink(folder.path(), folder.path() + "-link");
  const auto name = name_of_folder(folder.path());
  CHECK(name.size() == 9);
  CHECK(name_of_folder(folder.path() + "/") == name);
  CHECK(name_of_folder(folder.path() + "/../cloud") == name);
  CHECK(name_of_folder(folder.path() + "-link") == name);
  CHECK(name_of_folder(folder.path() + "2") != name);
  // One that does not exist yet has the name that it will have.
  const auto relative = std::filesystem::relative(folder.path() + "2").string();
  CHECK(name_of_folder(relative) == name_of_folder(folder.path() + "2"));
  std::filesystem::remove(folder.path() + "-link");
}

TEST_CASE("cloud: routes are read from the kernel's table") {
  const std::string table =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
      "*\t001012C6\t00000000\t0200\t0\t0\t0\t00F0FFFF\t0\t0\t0\n";
  CHECK(parse_route_table(table) == std::vector<std::string>{"172.17.0.0/16", "198.18.16.0/20"});
  CHECK(parse_route_table("").empty());
}

TEST_CASE("cloud: the public range is one that no route leads into") {
  const auto first = choose_public_range("c12345678", {});
  REQUIRE(first);
  CHECK(*choose_public_range("c12345678", {}) == *first);
  const auto second = choose_public_range("c12345678", {*first});
  REQUIRE(second);
  CHECK(*second != *first);
  CHECK_FALSE(choose_public_range("c12345678", {"198.18.0.0/15"}));
}

TEST_CASE("cloud: its folder is where state belongs") {
  paas::tests::Variables variables;
  CHECK_FALSE(default_state_folder(variables));
  variables.values["HOME"] = "/home/ada";
  CHECK(*default_state_folder(variables) == "/home/ada/.local/state/paasctl/cloud");
  variables.values["XDG_STATE_HOME"] = "/var/state";
  CHECK(*default_state_folder(variables) == "/var/state/paasctl/cloud");
}
