// The standard streams of this process.
#pragma once

#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include "ports/terminal.hpp"

namespace paas::system {

/// Safe to use from several threads: every write is put out whole. Output that nobody reads any
/// more (EPIPE) is dropped, so that a run goes on when its reader has left.
class PosixTerminal : public Terminal {
 public:
  /// A stop ends read_line() as the end of the input does.
  explicit PosixTerminal(std::stop_token stop = {}) : stop_(std::move(stop)) {}

  bool input_is_terminal() override;
  bool output_is_terminal() override;
  bool error_is_terminal() override;
  int columns() override;
  void write_output(std::string_view text) override;
  void write_error(std::string_view text) override;
  std::optional<std::string> read_line() override;
  bool output_closed() override;

 private:
  /// Puts out everything; false when the reader has left.
  static bool write_all(int descriptor, std::string_view text);

  std::stop_token stop_;
  std::mutex mutex_;
  bool output_closed_ = false;
  std::string input_;  ///< Read, and not yet given out.
};

}  // namespace paas::system
