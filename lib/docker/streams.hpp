// What the engine sends in streams: frames of two outputs, and JSON messages one after another.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "docker/engine.hpp"

namespace paas::docker {

/// Takes apart the stream of a container without a terminal: each frame is {stream, 0, 0, 0, length
/// as 32 bits big-endian} and the bytes (Engine API, "Attach to a container", stream format). A
/// frame's bytes are passed on as they come, so memory stays small whatever length a frame claims.
class Demultiplexer {
 public:
  using Sink = std::function<Status(LogStream, std::string_view)>;

  explicit Demultiplexer(Sink sink) : sink_(std::move(sink)) {}
  /// Error (failed): the stream has no such frames; or the sink's.
  Status feed(std::string_view part);

 private:
  Sink sink_;
  std::string header_;
  std::uint32_t remaining_bytes_ = 0;
  LogStream stream_ = LogStream::output;
};

/// Cuts a stream into JSON objects, one a line as the engine writes them.
class JsonLines {
 public:
  using Sink = std::function<Status(const nlohmann::json&)>;

  explicit JsonLines(Sink sink) : sink_(std::move(sink)) {}
  /// Error (failed): a line is no JSON; or the sink's.
  Status feed(std::string_view part);
  /// Handles a last line that has no end.
  Status finish();

 private:
  Status line(std::string_view text);

  Sink sink_;
  std::string rest_;
};

/// The messages of a build, a load or a pull, which report their failure inside an answer of status
/// 200.
class Messages {
 public:
  explicit Messages(OnText on_line);
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  Status feed(std::string_view part) { return lines_.feed(part); }
  /// Error (failed): the engine's message, with the last lines of output in the hint.
  Status finish();
  /// The identifier that a build reports, or "".
  const std::string& image_id() const { return image_id_; }

 private:
  Status message(const nlohmann::json& value);
  void output(std::string_view text);
  void pass(std::string_view line);

  OnText on_line_;
  JsonLines lines_;
  std::string partial_;
  std::deque<std::string> last_;
  std::string error_;
  std::string image_id_;
};

}  // namespace paas::docker
