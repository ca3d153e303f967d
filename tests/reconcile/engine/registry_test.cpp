// A real registry with a login, Debian's docker-registry, from which a real engine pulls.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "docker/build_context.hpp"
#include "docker/host.hpp"
#include "reconcile/registry_logins.hpp"
#include "system/curl_http.hpp"
#include "system/posix_files.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"
#include "system/system_environment.hpp"

namespace paas::reconcile {
namespace {

/// A port that was free a moment ago.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// The registry with one user, bot, whose password is "correct horse", and an image in it.
class Shelf {
 public:
  Shelf() {
    host = fmt::format("127.0.0.1:{}", free_port());
    reference = fmt::format("{}/acme/web-{}:1", host, ::getpid());
    std::ofstream(folder_.file("users"))
        << "bot:$2b$04$uklWoSTLTeMdLJbuEs.cXeOktNNHCf6ekplPwomSkK.2K9W6ILxLG\n";
    std::ofstream(folder_.file("config.yml"))
        << "version: 0.1\nstorage: {filesystem: {rootdirectory: " << folder_.file("data")
        << "}}\nhttp: {addr: '" << host
        << "'}\nauth: {htpasswd: {realm: test, path: " << folder_.file("users") << "}}\n";
    const auto started = processes_.start_detached(
        {"docker-registry", "serve", folder_.file("config.yml")}, folder_.file("log"));
    REQUIRE_MESSAGE(started, started.error().message);
    process_ = *started;
    await();
    push();
  }
  ~Shelf() {
    ::kill(process_, SIGTERM);
    (void)engine.remove_image(reference);
  }

  docker::RegistryLogin login(const std::string& password) const {
    return {host, "bot", Secret(password)};
  }

  system::CurlHttp http;
  system::SystemEnvironment environment;
  docker::Engine engine{http, docker::engine_socket(environment).value_or("")};
  std::string host;
  std::string reference;

 private:
  /// It says so when its port is open.
  void await() {
    ProcessRequest request;
    request.arguments = {
        "bash", "-c",
        "grep --quiet --max-count 1 'listening on' <(exec timeout 30 tail --lines +1 -F " +
            folder_.file("log") + ")"};
    const auto said = processes_.run(request);
    REQUIRE_MESSAGE(said, said.error().message);
    REQUIRE_MESSAGE(said->exit_status == 0, "the registry does not start");
  }

  void run_docker(std::vector<std::string> arguments, const std::string& input) {
    ProcessRequest request;
    request.arguments = {"docker", "--config", folder_.file("client"), "--host",
                         "unix://" + engine.socket()};
    request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
    request.input = input;
    const auto done = processes_.run(request);
    REQUIRE_MESSAGE(done, done.error().message);
    REQUIRE_MESSAGE(done->exit_status == 0, done->error_output);
  }

  /// Docker's own client brings the image there, and the engine forgets it.
  void push() {
    std::ofstream(folder_.file("Dockerfile"))
        << "FROM scratch\nLABEL paas.run=" << reference << "\nCOPY Dockerfile /\n";
    system::PosixFiles files;
    auto entries = docker::list_context(files, folder_.path(), "Dockerfile");
    std::erase_if(*entries, [](const auto& entry) { return entry.path != "Dockerfile"; });
    docker::BuildOptions options;
    options.tag = reference;
    const auto built =
        engine.build_image(options, docker::context_archive(files, folder_.path(), *entries), {});
    REQUIRE_MESSAGE(built, built.error().message);
    run_docker({"login", "--username", "bot", "--password-stdin", host}, "correct horse");
    run_docker({"push", "--quiet", reference}, "");
    REQUIRE(engine.remove_image(reference));
  }

  tests::ScratchFolder folder_;
  system::PosixProcesses processes_;
  int process_ = 0;
};

TEST_SUITE_BEGIN("registry");

TEST_CASE_FIXTURE(Shelf, "real registry: who has the login gets the image, and nobody else does") {
  const auto nobody = engine.pull_image(reference, {});
  REQUIRE_FALSE(nobody);
  const auto told = explain_pull(nobody.error(), reference, std::nullopt);
  CHECK(told.kind == ErrorKind::unauthorised);
  CHECK(told.hint.find("give the stack file a login") != std::string::npos);

  const auto wrong = engine.pull_image(reference, {}, login("wrong horse"));
  REQUIRE_FALSE(wrong);
  CHECK(explain_pull(wrong.error(), reference, login("wrong horse")).hint.find("refused bot") !=
        std::string::npos);
  CHECK(engine.inspect_image(reference).error().kind == ErrorKind::not_found);

  const auto pulled = engine.pull_image(reference, {}, login("correct horse"));
  REQUIRE_MESSAGE(pulled, pulled.error().message);
  CHECK(engine.config_digest(reference).value().starts_with("sha256:"));
  // The engine keeps no login: the next one without is refused again.
  REQUIRE(engine.remove_image(reference));
  CHECK_FALSE(engine.pull_image(reference, {}));
}

TEST_SUITE_END();

}  // namespace
}  // namespace paas::reconcile
