// A server that is a folder: what ssh would run there is run here by a real shell.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "ports/process.hpp"
#include "system/posix_processes.hpp"
#include "system/support/scratch_folder.hpp"

namespace paas::tests {

/// Stands in the place of the ssh client. Paths below /etc, /run and /usr/local are moved into the
/// folder, and programs that a test adds are found before those of this machine.
class LocalServer : public Processes {
 public:
  LocalServer() {
    for (const auto* name : {"bin", "etc/haproxy", "run", "usr/local/sbin"}) {
      std::filesystem::create_directories(folder_.file(name));
    }
  }

  /// A program in shell. It is started in the server's folder, and writes down in `calls` that it
  /// was called, and with what.
  void add_program(const std::string& name, const std::string& body) {
    const auto path = folder_.file("bin/" + name);
    write("bin/" + name, "#!/bin/sh\ncd '" + folder_.path() + "'\necho \"" + name +
                             " $*\" >>calls\n" + body + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(folder_.file(name)) << content;
  }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_.file(name)).rdbuf();
    return text.str();
  }
  bool has(const std::string& name) const { return std::filesystem::exists(folder_.file(name)); }
  /// How often a program was called with these words and whatever follows them.
  int calls(const std::string& words) const {
    int count = 0;
    for (const auto& line : text::split(read("calls"), '\n')) {
      if (line.starts_with(words)) ++count;
    }
    return count;
  }

  Result<ProcessResult> run(const ProcessRequest& request) override {
    // The connection itself: `-N` opens it, `-O` asks about it or ends it.
    for (const auto& argument : request.arguments) {
      if (argument == "-N" || argument == "-O") return ProcessResult{};
    }
    auto moved = request;
    auto command = request.arguments.back();
    for (const std::string_view root : {"/etc/", "/run/", "/usr/local/"}) {
      command = text::replace_all(command, root, folder_.path() + std::string(root));
    }
    moved.arguments = {"sh", "-c", command};
    moved.environment.push_back("PATH=" + folder_.file("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin");
    moved.input.resize(std::min(moved.input.size(), input_limit_bytes));
    return real_.run(moved);
  }
  Result<int> run_attached(const std::vector<std::string>&) override {
    return fail(ErrorKind::failed, "no terminal is needed here");
  }
  Result<int> start_detached(const std::vector<std::string>&, const std::string&) override {
    return fail(ErrorKind::failed, "nothing is left running here");
  }

  const std::string& folder() const { return folder_.path(); }

  /// What of the input arrives before the connection is cut.
  std::size_t input_limit_bytes = std::string::npos;

 private:
  ScratchFolder folder_;
  system::PosixProcesses real_;
};

}  // namespace paas::tests
