// Lets OpenSSH's client write a key down that it has not seen before.
#include "ssh/host_key.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "ssh/failure.hpp"

namespace paas::ssh {
namespace {

constexpr int connect_seconds = 10;

std::vector<std::string> asking(const Host& host, const std::string& file) {
  std::vector<std::string> arguments{"ssh", "-T"};
  for (const auto& option : {
           std::string("ControlPath=none"),
           std::string("User=root"),
           fmt::format("Port={}", host.port),
           fmt::format("ConnectTimeout={}", connect_seconds),
           fmt::format("HostKeyAlias={}", host.name),
           std::string("HostKeyAlgorithms=ssh-ed25519"),
           fmt::format("UserKnownHostsFile=\"{}\"", text::replace_all(file, "%", "%%")),
           std::string("GlobalKnownHostsFile=/dev/null"),
           std::string("KnownHostsCommand=none"),
           std::string("StrictHostKeyChecking=accept-new"),
           std::string("HashKnownHosts=no"),
           std::string("CheckHostIP=no"),
           std::string("UpdateHostKeys=no"),
           std::string("VerifyHostKeyDNS=no"),
           std::string("BatchMode=yes"),
           // The key is written down before anybody logs in, and nobody has to.
           std::string("PreferredAuthentications=none"),
           std::string("LogLevel=ERROR"),
       }) {
    arguments.insert(arguments.end(), {"-o", option});
  }
  arguments.insert(arguments.end(), {"--", host.address, "true"});
  return arguments;
}

/// "NAME ssh-ed25519 AAAA..."
std::string key_in(const std::string& known_hosts) {
  for (const auto& line : text::lines(known_hosts)) {
    const auto words = text::split(line, ' ');
    if (words.size() >= 3 && words[1] == "ssh-ed25519") return words[1] + " " + words[2];
  }
  return "";
}

}  // namespace

Result<std::string> shown_host_key(Processes& processes, Files& files, const std::string& folder,
                                   const Host& host) {
  const auto file = fmt::format("{}/shown-{}", folder, host.name);
  PAAS_CHECK(files.remove(file));
  ProcessRequest request;
  request.arguments = asking(host, file);
  request.timeout = std::chrono::seconds(connect_seconds * 3);
  const auto result = processes.run(request);
  const auto written = files.read(file);
  PAAS_CHECK(files.remove(file));
  const auto key = written ? key_in(*written) : std::string();
  if (!key.empty()) return key;
  if (!result) return fail(result.error());
  return fail(connecting_failure(host, result->error_output));
}

}  // namespace paas::ssh
