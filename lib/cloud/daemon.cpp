// The command line's side of the cloud's process.
#include "cloud/daemon.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/text.hpp"
#include "cloud/identity.hpp"
#include "cloud/state_folder.hpp"

namespace paas::cloud {
namespace {

constexpr std::uint32_t folder_mode = 0700;
constexpr std::chrono::milliseconds poll_interval{20};
constexpr std::size_t shown_log_lines = 15;

enum class Holder { nobody, somebody };

/// The kernel drops the guard with its process, so this tells a killed one from one that runs.
Result<Holder> holder_of(Files& files, const std::string& state_folder) {
  PAAS_TRY(const auto found, files.info(guard_file(state_folder)));
  if (!found) return Holder::nobody;
  // Taking it for a moment leaves nothing behind: its file is emptied when it is let go.
  PAAS_TRY(const auto guard, files.try_guard(guard_file(state_folder), ""));
  return guard == nullptr ? Holder::somebody : Holder::nobody;
}

/// Follows a log from where it was when the cloud was started.
class LogTail {
 public:
  LogTail(Files& files, std::string path) : files_(files), path_(std::move(path)) {
    if (const auto info = files_.info(path_); info && *info) offset_ = (*info)->size_bytes;
  }

  void follow(const std::function<void(std::string_view)>& on_line) {
    constexpr std::size_t part_bytes = 65'536;
    while (const auto part = files_.read_range(path_, offset_, part_bytes)) {
      if (part->empty()) return;
      offset_ += part->size();
      unfinished_ += *part;
      for (auto end = unfinished_.find('\n'); end != std::string::npos;
           end = unfinished_.find('\n')) {
        add(unfinished_.substr(0, end), on_line);
        unfinished_.erase(0, end + 1);
      }
    }
  }

  std::string last_lines() const {
    auto lines = lines_;
    if (!unfinished_.empty()) lines.push_back(unfinished_);
    return text::join(lines, "\n");
  }

 private:
  void add(std::string line, const std::function<void(std::string_view)>& on_line) {
    if (on_line) on_line(line);
    lines_.push_back(std::move(line));
    if (lines_.size() > shown_log_lines) lines_.erase(lines_.begin());
  }

  Files& files_;
  std::string path_;
  std::uint64_t offset_ = 0;
  std::string unfinished_;
  std::vector<std::string> lines_;
};

/// A child that ended but was not waited for still has an entry, as a zombie.
bool is_alive(Files& files, int process) {
  const auto stat = files.read(fmt::format("/proc/{}/stat", process));
  if (!stat) return ::kill(process, 0) == 0 || errno == EPERM;
  const auto name_end = stat->rfind(')');
  return name_end == std::string::npos || stat->compare(name_end + 1, 2, " Z") != 0;
}

/// The guard's content may be older than its holder: a killed process leaves its number, which the
/// kernel gives to another one in time.
bool is_cloud(Files& files, int process) {
  const auto command_line = files.read(fmt::format("/proc/{}/cmdline", process));
  if (!command_line) return false;
  const auto arguments = text::split(*command_line, '\0');
  const auto named = std::find(arguments.begin(), arguments.end(), "cloud");
  return named != arguments.end() && std::next(named) != arguments.end() &&
         *std::next(named) == "serve";
}

/// The file is looked at first: while a cloud starts, its guard is left alone.
Result<std::optional<Endpoint>> ready_endpoint(Files& files, const std::string& state_folder) {
  auto written = read_endpoint(files, state_folder);
  if (!written) return std::nullopt;
  PAAS_TRY(const auto holder, holder_of(files, state_folder));
  if (holder == Holder::nobody) return std::nullopt;
  return written;
}

tl::unexpected<Error> start_failure(LogTail& log, const StartPorts& ports) {
  log.follow(ports.on_log);
  const auto lines = log.last_lines();
  return fail(ErrorKind::failed,
              "the local cloud did not start" + (lines.empty() ? "" : ":\n" + lines));
}

}  // namespace

Result<Endpoint> start(const CloudSettings& settings, const StartPorts& ports,
                       const std::vector<std::string>& command, std::chrono::milliseconds timeout) {
  auto& files = ports.files;
  const auto& folder = settings.state_folder;
  PAAS_CHECK(check_settings(files, settings));
  PAAS_CHECK(files.make_directories(folder, folder_mode));
  PAAS_TRY(const auto holder, holder_of(files, folder));
  LogTail log(files, log_file(folder));
  int process = 0;
  if (holder == Holder::nobody) {
    PAAS_CHECK(files.remove(endpoint_file(folder)));
    PAAS_CHECK(write_settings(files, settings));
    PAAS_TRY(process, ports.processes.start_detached(command, log_file(folder)));
  }
  const auto deadline = ports.clock.monotonic() + timeout;
  while (true) {
    // The endpoint is written when both listeners answer.
    PAAS_TRY(const auto ready, ready_endpoint(files, folder));
    log.follow(ports.on_log);
    if (ready) return *ready;
    if (process != 0 && !is_alive(files, process)) {
      // Somebody else may have been faster to start it in the same folder.
      PAAS_TRY(const auto other, holder_of(files, folder));
      if (other == Holder::nobody) return start_failure(log, ports);
    }
    if (ports.clock.monotonic() > deadline) {
      return fail(ErrorKind::timed_out, "the local cloud does not answer",
                  "Its log is " + log_file(folder) + ".");
    }
    PAAS_CHECK(ports.clock.wait(poll_interval));
  }
}

Result<CloudStatus> status(Files& files, const std::string& state_folder) {
  CloudStatus status;
  const auto identity = identity_in(files, state_folder);
  status.name = identity ? identity->name : name_of_folder(state_folder);
  status.metadata_only = identity && identity->metadata_only;
  PAAS_TRY(const auto holder, holder_of(files, state_folder));
  if (holder == Holder::somebody) {
    status.endpoint = read_endpoint(files, state_folder);
    status.phase = status.endpoint ? CloudPhase::running : CloudPhase::starting;
    return status;
  }
  PAAS_TRY(const auto state, files.info(state_file(state_folder)));
  status.phase = state ? CloudPhase::stopped : CloudPhase::absent;
  return status;
}

Result<std::optional<Endpoint>> endpoint(Files& files, const std::string& state_folder) {
  return ready_endpoint(files, state_folder);
}

Result<Stopped> stop(Files& files, Clock& clock, const std::string& state_folder,
                     std::chrono::milliseconds timeout) {
  const auto deadline = clock.monotonic() + timeout;
  int told = 0;
  while (true) {
    PAAS_TRY(const auto holder, holder_of(files, state_folder));
    if (holder == Holder::nobody) return told == 0 ? Stopped::did_not_run : Stopped::was_running;
    // The guard's content is its holder's number; it is there as soon as the guard is taken.
    const auto owner = files.read(guard_file(state_folder));
    const auto process =
        owner ? static_cast<int>(text::to_integer(text::trim(*owner)).value_or(0)) : 0;
    if (process > 1 && process != told && is_cloud(files, process)) {
      ::kill(process, SIGTERM);
      told = process;
    }
    if (clock.monotonic() > deadline) {
      if (told == 0) {
        return fail(ErrorKind::timed_out,
                    "something that is no local cloud holds " + guard_file(state_folder));
      }
      if (is_cloud(files, told)) ::kill(told, SIGKILL);
      return fail(ErrorKind::timed_out,
                  "the local cloud did not stop in time and was ended by force",
                  "`paasctl cloud down` once more stops its machines. Its log is " +
                      log_file(state_folder) + ".");
    }
    PAAS_CHECK(clock.wait(poll_interval));
  }
}

}  // namespace paas::cloud
