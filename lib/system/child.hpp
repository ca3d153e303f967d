// Starting a child process: everything between fork(2) and exec(2), and waiting for its end.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "system/descriptor.hpp"

namespace paas::system {

/// Where a child belongs: decides which signals of the terminal reach it and who waits for it.
enum class ChildPlace {
  own_group,         ///< A process group of its own; ends with this process.
  same_group,        ///< Shares the terminal's foreground group; ends with this process.
  detached_session,  ///< A session of its own, outlives this process, is not ours to wait for.
};

struct ChildOptions {
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {};  ///< "NAME=value" over what is inherited.
  ChildPlace place = ChildPlace::own_group;
  /// Become the child's standard streams; -1 leaves the stream as it is here.
  int input = -1;
  int output = -1;
  int error_output = -1;
};

/// A started child. For a detached one only the process id means anything.
class Child {
 public:
  Child(pid_t process, Descriptor exit_event)
      : process_(process), exit_event_(std::move(exit_event)) {}

  pid_t process() const { return process_; }
  /// Readable once the child has ended (a pidfd).
  int exit_event() const { return exit_event_.get(); }
  /// Waits for the end: the exit status, or 128 + signal.
  int wait() const;
  /// Asks the whole process group to end (SIGTERM), and after `grace` makes it (SIGKILL).
  void end_group(std::chrono::milliseconds grace) const;

 private:
  pid_t process_;
  Descriptor exit_event_;
};

/// Errors: not_found (no such program on PATH), failed.
Result<Child> start_child(const ChildOptions& options);

}  // namespace paas::system
