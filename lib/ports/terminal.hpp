// The user's terminal: what the streams are connected to, and writing to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace paas {

class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual bool input_is_terminal() = 0;
  virtual bool output_is_terminal() = 0;
  virtual bool error_is_terminal() = 0;
  /// Columns of the terminal; 80 when unknown.
  virtual int columns() = 0;
  virtual void write_output(std::string_view text) = 0;
  virtual void write_error(std::string_view text) = 0;
  /// A line from standard input without its end; nothing at the end of the input.
  virtual std::optional<std::string> read_line() = 0;
  /// Nobody reads the standard output any more; what follows a stream can stop.
  virtual bool output_closed() { return false; }
};

}  // namespace paas
