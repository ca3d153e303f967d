// Certificates on a load balancer: what is there, and how it comes there over SSH.
#include "observe/certificates.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "observe/certificate_script.hpp"
#include "observe/ssh_machines.hpp"

namespace paas::observe {

namespace {

/// "--- certificate host.a.test.pem DIGEST [FINGERPRINT]"
void read_header(const std::string& line, Balancer& balancer, std::string& name) {
  constexpr std::string_view ending = ".pem";
  const auto words = text::split(line, ' ');
  name = words.size() > 2 ? words[2] : "";
  if (!name.ends_with(ending)) return name.clear();
  name.resize(name.size() - ending.size());
  auto& certificate = balancer.certificates[name];
  if (words.size() > 3) certificate.digest = words[3];
  if (words.size() > 4) certificate.shown = words[4];
}

}  // namespace

std::string read_certificates(std::string_view text, Balancer& balancer) {
  constexpr std::string_view end = "--- configuration\n";
  // In the text with a line feed before it, so it is the offset in the text itself.
  const auto stop = ("\n" + std::string(text)).find("\n" + std::string(end));
  if (stop == std::string::npos) return "";
  std::string name;
  std::vector<std::string>* lines = nullptr;
  for (auto& line : text::lines(text.substr(0, stop))) {
    if (line.starts_with("--- certificate ")) {
      read_header(line, balancer, name);
    } else if (line == "--- list") {
      lines = &balancer.listed_certificates;
    } else if (line == "--- shown") {
      lines = &balancer.shown_certificates;
    } else if (lines != nullptr) {
      if (!line.empty()) lines->push_back(std::move(line));
    } else if (!name.empty()) {
      balancer.certificates[name].text += line + "\n";
    }
  }
  return std::string(text.substr(stop + end.size()));
}

Status SshMachines::put_certificate(const Target& target, const CertificateFile& certificate) {
  std::vector<std::string> arguments = {"put", certificate.name};
  arguments.insert(arguments.end(), certificate.hosts.begin(), certificate.hosts.end());
  PAAS_CHECK(shell(target, certificate_script, arguments, certificate.bundle.reveal()));
  return {};
}

Status SshMachines::remove_certificate(const Target& target, const std::string& name) {
  PAAS_CHECK(shell(target, certificate_script, {"remove", name}));
  return {};
}

Status SshMachines::issue_certificates(const Target& target, const AcmeOrder& order,
                                       std::chrono::milliseconds timeout) {
  // It stays there for the client, which runs it after each renewal.
  PAAS_CHECK(write_file(target, certificate_program, certificate_script, 0755));
  RemoteCommand command;
  command.arguments = {certificate_program, "issue", order.email, order.directory};
  command.arguments.insert(command.arguments.end(), order.hosts.begin(), order.hosts.end());
  command.timeout = timeout;
  PAAS_TRY(const auto result, run(target, command));
  if (result.exit_status == 0) return {};
  return fail(ErrorKind::failed,
              fmt::format("the certificate authority gave no certificate:\n{}",
                          text::trim(result.error_output)),
              "each host's name has to lead to the load balancer's public address, and port 80 "
              "there has to be open; `paasctl up` asks again");
}

Result<Secret> SshMachines::issued_certificates(const Target& target,
                                                const std::vector<std::string>& hosts) {
  std::vector<std::string> arguments = {"give"};
  arguments.insert(arguments.end(), hosts.begin(), hosts.end());
  PAAS_TRY(auto issued, shell(target, certificate_script, arguments));
  return Secret(std::move(issued));
}

Status SshMachines::take_issued_certificates(const Target& target, const Secret& issued) {
  // certbot runs it after each renewal, also when no certificate is asked for here any more.
  PAAS_CHECK(write_file(target, certificate_program, certificate_script, 0755));
  PAAS_CHECK(shell(target, certificate_script, {"take"}, issued.reveal()));
  return {};
}

}  // namespace paas::observe
