// Other programs: started from an argument vector, never through a shell.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace paas {

/// What a request to stop means for a running program.
enum class OnStop {
  end,     ///< It is ended and the run is an Error interrupted.
  finish,  ///< It goes on to its end or its timeout: for tidying up.
};

struct ProcessRequest {
  std::vector<std::string> arguments;  ///< The program first; found on PATH.
  std::string input;                   ///< Written to its standard input, which is then closed.
  std::string input_file{};            ///< Its standard input instead, for what is large.
  /// Extra variables, "NAME=value"; the rest is inherited.
  std::vector<std::string> environment;
  /// The whole run; zero is without limit. The process group is ended after it.
  std::chrono::milliseconds timeout{0};
  /// Receive output as it comes; what they take is not collected in the result.
  std::function<void(std::string_view)> on_output;
  std::function<void(std::string_view)> on_error_output;
  OnStop on_stop = OnStop::end;
};

struct ProcessResult {
  int exit_status = 0;  ///< 128 + signal when ended by one.
  std::string output;
  std::string error_output;
};

class Processes {
 public:
  virtual ~Processes() = default;
  /// Waits for the end. Errors: not_found (no such program), timed_out, interrupted, failed.
  virtual Result<ProcessResult> run(const ProcessRequest& request) = 0;
  /// Gives the program this process's own terminal (standard streams) and waits; the exit status.
  virtual Result<int> run_attached(const std::vector<std::string>& arguments) = 0;
  /// Starts it detached in its own session with output appended to a file; the process id.
  virtual Result<int> start_detached(const std::vector<std::string>& arguments,
                                     const std::string& log_file) = 0;
};

}  // namespace paas
