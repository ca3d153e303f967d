// Shared connections against real servers: OpenSSH's sshd on loopback.
#include "ssh/connections.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/text.hpp"
#include "ssh/keys.hpp"
#include "ssh/support/fakes.hpp"
#include "ssh/support/test_sshd.hpp"
#include "system/curl_http.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/loopback_server.hpp"
#include "system/support/process_end.hpp"
#include "system/support/scratch_folder.hpp"

namespace {

using paas::ErrorKind;
using paas::ssh::Command;
using paas::ssh::Connections;
using paas::ssh::Host;
using paas::tests::ScratchFolder;
using paas::tests::SteppedClock;
using paas::tests::TestSshd;
using std::chrono::milliseconds;

/// After this time the next use of a connection is preceded by a check.
constexpr milliseconds age_of_a_check{2000};

/// What a stack has: its own key in a file, and a folder for control sockets.
struct Client {
  explicit Client(std::stop_token stop = {}) : processes(std::move(stop)) {
    // The user's own agent has no part in these tests.
    ::unsetenv("SSH_AUTH_SOCK");
    paas::system::PosixProcesses undisturbed;
    auto pair = paas::ssh::generate_key(undisturbed, files, folder.path(), "test").value();
    public_key = pair.public_key;
    REQUIRE(files.write_atomically(folder.file("identity"), pair.private_key.reveal(), 0600));
    settings.user = TestSshd::user();
    settings.identity_file = folder.file("identity");
    settings.runtime_folder = folder.file("run");
    connections = std::make_unique<Connections>(processes, files, clock, settings);
  }

  paas::Result<paas::ProcessResult> shell(const Host& host, const std::string& script,
                                          const std::string& input = {}) {
    Command command;
    command.arguments = {"sh", "-c", script};
    command.input = input;
    return connections->run(host, command);
  }

  /// The process id of the master, from the client itself.
  int master(const Host& host) {
    auto arguments = connections->interactive(host, {}, paas::ssh::Tty::when_terminal).value();
    arguments.insert(arguments.begin() + 1, {"-O", "check"});
    const auto result = processes.run({.arguments = arguments,
                                       .input = {},
                                       .environment = {},
                                       .timeout = milliseconds(5000),
                                       .on_output = {},
                                       .on_error_output = {}});
    const auto at = result->error_output.find("pid=");
    return at == std::string::npos ? 0 : std::stoi(result->error_output.substr(at + 4));
  }

  /// Where the master of the only connection listens.
  std::string control_socket() {
    const auto names = files.list(settings.runtime_folder).value();
    for (const auto& name : names) {
      if (name.ends_with(".s")) return settings.runtime_folder + "/" + name;
    }
    return {};
  }

  ScratchFolder folder;
  paas::system::PosixProcesses processes;
  paas::system::PosixFiles files;
  SteppedClock clock;
  paas::ssh::Settings settings;
  std::string public_key;
  std::unique_ptr<Connections> connections;
};

TEST_CASE("ssh: commands share one connection, with their outputs and statuses") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const auto first = client.shell(server->host(), "echo out; echo err >&2; exit 7");
  REQUIRE(first.has_value());
  CHECK(first->exit_status == 7);
  CHECK(first->output == "out\n");
  CHECK(first->error_output == "err\n");
  CHECK(client.shell(server->host(), "exit 0")->exit_status == 0);
  CHECK(client.shell(server->host(), "kill -9 $$")->exit_status == 137);
  CHECK(server->accepted() == 1);
}

TEST_CASE("ssh: a command's own 255 is its status and not a failure of the connection") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const auto result = client.shell(server->host(), "echo said >&2; exit 255");
  REQUIRE(result.has_value());
  CHECK(result->exit_status == 255);
  CHECK(result->error_output == "said\n");
}

TEST_CASE("ssh: arguments and input reach the command unchanged") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  Command command;
  command.arguments = {"printf", "%s|", "it's", "$(id)", "", "a  b"};
  CHECK(client.connections->run_or_fail(server->host(), command).value() == "it's|$(id)||a  b|");
  std::string input(1'000'000, 'x');
  input += '\0';
  CHECK(client.shell(server->host(), "cat", input)->output == input);
}

TEST_CASE("ssh: run_or_fail turns a status into an error with the command's last words") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  Command command;
  command.arguments = {"ls", "/nonexistent"};
  const auto result = client.connections->run_or_fail(server->host(), command);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::failed);
  CHECK(result.error().message.find("ls on zipkick-web-1 ended with status 2") == 0);
  CHECK(result.error().message.find("No such file or directory") != std::string::npos);
}

TEST_CASE("ssh: output comes as it is written, also the error output") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  Command command;
  command.arguments = {"sh", "-c", "echo out; echo err >&2"};
  std::string out;
  std::string err;
  command.on_output = [&out](std::string_view part) { out += part; };
  command.on_error_output = [&err](std::string_view part) { err += part; };
  REQUIRE(client.connections->run(server->host(), command).has_value());
  CHECK(out == "out\n");
  CHECK(err == "err\n");
}

TEST_CASE("ssh: a written file has its content and mode, and nothing else is left") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const ScratchFolder target;
  const auto path = target.file("it's web.env");
  std::string content = "KEY=it's a $(secret)\n";
  content += '\0';
  content.append(300'000, 'x');
  REQUIRE(client.connections->write_file(server->host(), path, "old", 0644).has_value());
  REQUIRE(client.connections->write_file(server->host(), path, content, 0600).has_value());
  CHECK(client.files.read(path).value() == content);
  CHECK(client.files.info(path).value()->mode == 0600);
  CHECK(client.files.list(target.path())->size() == 1);
  REQUIRE(client.connections->write_file(server->host(), path, "", 0640).has_value());
  CHECK(client.files.info(path).value()->size_bytes == 0);
  CHECK(client.files.info(path).value()->mode == 0640);
}

/// Loses the end of what a program is given, as a connection does that is cut.
class CutProcesses : public paas::Processes {
 public:
  explicit CutProcesses(paas::Processes& processes) : processes_(processes) {}
  paas::Result<paas::ProcessResult> run(const paas::ProcessRequest& request) override {
    auto cut = request;
    cut.input.resize(std::min(cut.input.size(), input_bytes));
    return processes_.run(cut);
  }
  paas::Result<int> run_attached(const std::vector<std::string>& arguments) override {
    return processes_.run_attached(arguments);
  }
  paas::Result<int> start_detached(const std::vector<std::string>& arguments,
                                   const std::string& log_file) override {
    return processes_.start_detached(arguments, log_file);
  }
  std::size_t input_bytes = std::string::npos;

 private:
  paas::Processes& processes_;
};

TEST_CASE("case 28: an environment file of which only a part arrived is not put in place") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  CutProcesses processes(client.processes);
  Connections connections(processes, client.files, client.clock, client.settings);
  const ScratchFolder target;
  const auto path = target.file("web.env");
  REQUIRE(connections.write_file(server->host(), path, "PASSWORD=old\n", 0600));
  for (const std::size_t arrived : {0, 1, 12}) {
    processes.input_bytes = arrived;
    const auto written = connections.write_file(server->host(), path, "PASSWORD=new\n", 0600);
    REQUIRE_FALSE(written);
    CHECK(client.files.read(path).value() == "PASSWORD=old\n");
    CHECK(client.files.list(target.path()) == std::vector<std::string>{"web.env"});
  }
  processes.input_bytes = std::string::npos;
  REQUIRE(connections.write_file(server->host(), path, "PASSWORD=new\n", 0600));
  CHECK(client.files.read(path).value() == "PASSWORD=new\n");
}

TEST_CASE("ssh: a file that cannot be written is an error that says why") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const ScratchFolder target;
  const auto missing =
      client.connections->write_file(server->host(), target.file("no/file"), "x", 0600);
  REQUIRE_FALSE(missing.has_value());
  CHECK(paas::describe(missing.error()).find("writing " + target.file("no/file")) !=
        std::string::npos);
  REQUIRE(client.files.make_directories(target.file("folder"), 0700));
  CHECK_FALSE(client.connections->write_file(server->host(), target.file("folder"), "x", 0600));
  CHECK(client.files.list(target.path()).value() == std::vector<std::string>{"folder"});
  CHECK(client.connections->write_file(server->host(), "relative", "x", 0600).error().kind ==
        ErrorKind::invalid);
}

TEST_CASE("case 25: a changed host key is refused with both fingerprints and a hint") {
  Client client;
  const auto server = TestSshd::start("zipkick-db-1", client.public_key);
  REQUIRE(client.shell(server->host(), "true").has_value());
  server->restart_with_new_key();
  const ScratchFolder witness;
  const auto result = client.shell(server->host(), "touch " + witness.file("ran"));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::unauthorised);
  const auto pinned = paas::ssh::fingerprint_sha256(server->host().host_key);
  CHECK(result.error().message.find("pinned " + pinned + ", offered SHA256:") != std::string::npos);
  CHECK(result.error().message.find("offered " + pinned) == std::string::npos);
  CHECK(result.error().hint.find("server replace zipkick-db-1") != std::string::npos);
  CHECK(client.files.list(witness.path())->empty());
}

TEST_CASE("ssh: the user's configuration brings in no other host keys and no other masters") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  // The command answers with whatever key the server shows.
  REQUIRE(client.files.write_atomically(client.folder.file("config"),
                                        "Host *\nKnownHostsCommand /bin/echo %H %t %K\n"
                                        "ControlMaster auto\nControlPersist yes\n",
                                        0600));
  paas::tests::ConfiguredProcesses processes(client.processes, client.folder.file("config"));
  client.connections =
      std::make_unique<Connections>(processes, client.files, client.clock, client.settings);
  REQUIRE(client.shell(server->host(), "true").has_value());
  SUBCASE("a new host key is refused") {
    server->restart_with_new_key();
    client.connections->close(server->host());
    const auto result = client.shell(server->host(), "true");
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind == ErrorKind::unauthorised);
  }
  SUBCASE("a command that finds the master dead does not become one itself") {
    REQUIRE(::kill(client.master(server->host()), SIGKILL) == 0);
    REQUIRE(client.shell(server->host(), "true").has_value());
    CHECK(client.files.list(client.settings.runtime_folder)->empty());
  }
}

TEST_CASE("ssh: a key that the server does not know is unauthorised") {
  Client client;
  Client stranger;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const auto result = stranger.shell(server->host(), "true");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::unauthorised);
  CHECK(result.error().message.find("zipkick-web-1 (127.0.0.1) refused the key") == 0);
}

TEST_CASE("ssh: a server that does not listen is unreachable") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  server->kill();
  const auto result = client.shell(server->host(), "true");
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::unreachable);
  CHECK(result.error().message.find("Connection refused") != std::string::npos);
  const auto awaited = client.connections->await(server->host(), milliseconds(300));
  REQUIRE_FALSE(awaited.has_value());
  CHECK(awaited.error().kind == ErrorKind::timed_out);
}

TEST_CASE("ssh: a master that was killed is replaced, and the command runs once") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  REQUIRE(client.shell(server->host(), "true").has_value());
  const int first_master = client.master(server->host());
  REQUIRE(first_master > 0);
  REQUIRE(::kill(first_master, SIGKILL) == 0);
  const ScratchFolder witness;
  const auto result =
      client.shell(server->host(), "echo ran >> " + witness.file("log") + "; echo err >&2");
  REQUIRE(result.has_value());
  CHECK(result->error_output == "err\n");
  CHECK(client.files.read(witness.file("log")).value() == "ran\n");
  const auto after = server->accepted();
  REQUIRE(client.shell(server->host(), "true").has_value());
  const int second_master = client.master(server->host());
  CHECK(second_master > 0);
  CHECK(second_master != first_master);
  REQUIRE(client.shell(server->host(), "true").has_value());
  CHECK(server->accepted() <= after + 1);
}

TEST_CASE("ssh: a master that dies while it is spoken to is replaced as well") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  REQUIRE(client.shell(server->host(), "true").has_value());
  const int master = client.master(server->host());
  REQUIRE(::kill(master, SIGKILL) == 0);
  REQUIRE(paas::tests::ends(master));
  const auto control_socket = client.control_socket();
  REQUIRE(client.files.remove(control_socket));
  const paas::tests::DyingMaster dying(control_socket);
  const ScratchFolder remote;
  const paas::tests::LoopbackServer engine(
      [](const auto& request, auto& peer) { peer.answer(200, request.target); },
      remote.file("docker.sock"));
  SUBCASE("by a check") {
    client.clock.advance(age_of_a_check);
    paas::HttpRequest request;
    request.url = "http://docker/info";
    request.unix_socket =
        client.connections->forward_socket(server->host(), remote.file("docker.sock")).value();
    const auto answer = paas::system::CurlHttp().send(request);
    REQUIRE_MESSAGE(answer.has_value(), paas::describe(answer.error()));
    CHECK(answer->body == "/info");
    CHECK(server->accepted() == 2);
  }
  SUBCASE("by a command") {
    const auto result = client.shell(server->host(), "echo err >&2");
    REQUIRE_MESSAGE(result.has_value(), paas::describe(result.error()));
    CHECK(result->error_output == "err\n");
    CHECK(client.files.list(client.settings.runtime_folder)->empty());
  }
  SUBCASE("and nothing is forwarded until then") {
    const auto refused =
        client.connections->forward_socket(server->host(), remote.file("docker.sock"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::unreachable);
    CHECK(client.connections->forward_socket(server->host(), remote.file("docker.sock")));
  }
}

TEST_CASE("case 26: a connection that is cut inside a command is unreachable, not a status") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  Command command;
  command.arguments = {"sh", "-c", "echo started; exec sleep 1000"};
  command.on_output = [&server](std::string_view) { server->kill_connections(); };
  const auto result = client.connections->run(server->host(), command);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::unreachable);
  CHECK(client.shell(server->host(), "true")->exit_status == 0);
}

TEST_CASE("ssh: a cut connection is unreachable also when the command spoke of refused keys") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const std::string words = "Permission denied (publickey).\nHost key verification failed.\n";
  Command command;
  command.arguments = {"sh", "-c", "printf %s \"$1\" >&2; exec sleep 1000", "sh", words};
  std::string said;
  command.on_error_output = [&](std::string_view part) {
    said += part;
    if (said == words) server->kill_connections();
  };
  const auto result = client.connections->run(server->host(), command);
  CHECK(said.starts_with(words));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == ErrorKind::unreachable);
}

TEST_CASE("ssh: a unix socket of the server is reached over the connection") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const ScratchFolder remote;
  const paas::tests::LoopbackServer engine(
      [](const auto& request, auto& peer) { peer.answer(200, request.target); },
      remote.file("docker.sock"));
  const auto local = client.connections->forward_socket(server->host(), remote.file("docker.sock"));
  REQUIRE(local.has_value());
  CHECK(client.connections->forward_socket(server->host(), remote.file("docker.sock")) == *local);
  paas::system::CurlHttp http;
  paas::HttpRequest request;
  request.url = "http://docker/info";
  request.unix_socket = *local;
  CHECK(http.send(request)->body == "/info");

  // Forwarded again, under the new connection, after the old one went away.
  REQUIRE(::kill(client.master(server->host()), SIGKILL) == 0);
  client.clock.advance(age_of_a_check);
  request.unix_socket =
      client.connections->forward_socket(server->host(), remote.file("docker.sock")).value();
  CHECK(http.send(request)->body == "/info");
}

TEST_CASE("ssh: a killed master is noticed also when its socket is asked for all the time") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const ScratchFolder remote;
  const paas::tests::LoopbackServer engine(
      [](const auto& request, auto& peer) { peer.answer(200, request.target); },
      remote.file("docker.sock"));
  const auto ask = [&] {
    return client.connections->forward_socket(server->host(), remote.file("docker.sock"));
  };
  REQUIRE(ask().has_value());
  REQUIRE(::kill(client.master(server->host()), SIGKILL) == 0);
  paas::HttpRequest request;
  request.url = "http://docker/info";
  // No two calls are as far apart as the age of a check.
  for (int i = 0; i < 2; ++i) {
    client.clock.advance(age_of_a_check - milliseconds(1));
    request.unix_socket = ask().value();
  }
  paas::system::CurlHttp http;
  const auto answer = http.send(request);
  REQUIRE_MESSAGE(answer.has_value(), paas::describe(answer.error()));
  CHECK(answer->body == "/info");
}

TEST_CASE("ssh: 40 commands side by side on two servers all get their own answers") {
  Client client;
  const auto first = TestSshd::start("zipkick-web-1", client.public_key);
  const auto second = TestSshd::start("zipkick-web-2", client.public_key);
  std::mutex mutex;
  std::vector<std::string> wrong;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 40; ++i) {
      threads.emplace_back([&, i] {
        const auto& host = i % 2 == 0 ? first->host() : second->host();
        const auto result = client.shell(host, "cat; echo " + std::to_string(i), "input ");
        const std::scoped_lock lock(mutex);
        if (!result) {
          wrong.push_back(paas::describe(result.error()));
        } else if (result->output != fmt::format("input {}\n", i) ||
                   !result->error_output.empty()) {
          wrong.push_back(result->output + result->error_output);
        }
      });
    }
  }
  CHECK(paas::text::join(wrong, "; ") == "");
  CHECK(first->accepted() == 1);
  CHECK(second->accepted() == 1);
}

TEST_CASE("ssh: closing ends the master and removes its files") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  REQUIRE(client.shell(server->host(), "true").has_value());
  const int master = client.master(server->host());
  REQUIRE(master > 0);
  SUBCASE("by hand") { client.connections->close(server->host()); }
  SUBCASE("with its owner") { client.connections.reset(); }
  CHECK(paas::tests::ends(master));
  CHECK(client.files.list(client.settings.runtime_folder)->empty());
}

TEST_CASE("ssh: an interruption still closes the connections") {
  std::stop_source stop;
  Client client(stop.get_token());
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  REQUIRE(client.shell(server->host(), "true").has_value());
  const int master = client.master(server->host());
  stop.request_stop();
  CHECK(client.shell(server->host(), "true").error().kind == ErrorKind::interrupted);
  client.connections.reset();
  CHECK(paas::tests::ends(master));
}

TEST_CASE("ssh: an interactive session runs over the shared connection") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  const auto arguments = client.connections->interactive(server->host(), {"sh", "-c", "exit 9"},
                                                         paas::ssh::Tty::never);
  REQUIRE(arguments.has_value());
  CHECK(client.processes.run_attached(*arguments).value() == 9);
  CHECK(server->accepted() == 1);
}

TEST_CASE("ssh: a runtime folder with a long path is refused before anything is started") {
  Client client;
  client.settings.runtime_folder = client.folder.file(std::string(90, 'x'));
  Connections connections(client.processes, client.files, client.clock, client.settings);
  const auto status = connections.await(Host{"a", "127.0.0.1", client.public_key}, milliseconds(0));
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().message.find("too long") != std::string::npos);
}

TEST_CASE("ssh: what a command over a shared connection costs") {
  Client client;
  const auto server = TestSshd::start("zipkick-web-1", client.public_key);
  using Steady = std::chrono::steady_clock;
  const auto before = Steady::now();
  REQUIRE(client.shell(server->host(), "true").has_value());
  const auto connected = Steady::now();
  constexpr int runs = 20;
  for (int i = 0; i < runs; ++i) REQUIRE(client.shell(server->host(), "true").has_value());
  const auto done = Steady::now();
  const auto per_run = std::chrono::duration<double, std::milli>(done - connected).count() / runs;
  MESSAGE("first command: " << std::chrono::duration<double, std::milli>(connected - before).count()
                            << " ms, later ones: " << per_run << " ms");
  CHECK(server->accepted() == 1);
}

}  // namespace
