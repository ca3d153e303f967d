// Decoders of the engine's streams.
#include "docker/streams.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "docker/call.hpp"

namespace paas::docker {
namespace {

constexpr std::size_t frame_header_bytes = 8;
constexpr std::size_t longest_line_bytes = 16U << 20U;
constexpr std::size_t lines_in_hint = 20;

}  // namespace

Status Demultiplexer::feed(std::string_view part) {
  while (!part.empty()) {
    if (remaining_bytes_ == 0) {
      const auto taken = std::min(part.size(), frame_header_bytes - header_.size());
      header_.append(part.substr(0, taken));
      part.remove_prefix(taken);
      if (header_.size() < frame_header_bytes) return {};
      if (header_[0] < 0 || header_[0] > 2 || header_[1] != 0) {
        return fail(ErrorKind::failed, "the engine's output stream is not in frames");
      }
      stream_ = header_[0] == 2 ? LogStream::error : LogStream::output;
      for (std::size_t i = 4; i < frame_header_bytes; ++i) {
        remaining_bytes_ = remaining_bytes_ << 8U | static_cast<unsigned char>(header_[i]);
      }
      header_.clear();
      continue;
    }
    const auto content = part.substr(0, remaining_bytes_);
    remaining_bytes_ -= static_cast<std::uint32_t>(content.size());
    part.remove_prefix(content.size());
    PAAS_CHECK(sink_(stream_, content));
  }
  return {};
}

Status JsonLines::feed(std::string_view part) {
  while (true) {
    const auto end = part.find('\n');
    if (end == std::string_view::npos) {
      rest_.append(part);
      if (rest_.size() > longest_line_bytes) {
        return fail(ErrorKind::failed, "the engine sent a message that does not end");
      }
      return {};
    }
    rest_.append(part.substr(0, end));
    part.remove_prefix(end + 1);
    const auto whole = std::exchange(rest_, {});
    PAAS_CHECK(line(whole));
  }
}

Status JsonLines::finish() { return line(std::exchange(rest_, {})); }

Status JsonLines::line(std::string_view text) {
  text = text::trim(text);
  if (text.empty()) return {};
  const auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    return fail(ErrorKind::failed,
                fmt::format("the engine sent what is not JSON: {}", text.substr(0, 200)));
  }
  return sink_(value);
}

Messages::Messages(OnText on_line)
    : on_line_(std::move(on_line)),
      lines_([this](const nlohmann::json& value) { return message(value); }) {}

Status Messages::message(const nlohmann::json& value) {
  if (const auto id = text_of(member(member(value, "aux"), "ID")); !id.empty()) image_id_ = id;
  if (const auto text = text_of(member(value, "stream")); !text.empty()) output(text);
  if (const auto status = text_of(member(value, "status")); !status.empty()) {
    const auto id = text_of(member(value, "id"));
    const auto progress = text_of(member(value, "progress"));
    pass(fmt::format("{}{}{}{}{}", id, id.empty() ? "" : ": ", status, progress.empty() ? "" : " ",
                     progress));
  }
  const auto detail = text_of(member(member(value, "errorDetail"), "message"));
  const auto error = detail.empty() ? text_of(member(value, "error")) : detail;
  if (!error.empty()) error_ = error;
  return {};
}

// A build's program writes parts of lines, which become lines here.
void Messages::output(std::string_view text) {
  partial_.append(text);
  for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
    auto line = partial_.substr(0, end);
    partial_.erase(0, end + 1);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    pass(line);
  }
}

void Messages::pass(std::string_view line) {
  if (on_line_) on_line_(line);
  if (text::trim(line).empty()) return;
  last_.emplace_back(line);
  if (last_.size() > lines_in_hint) last_.pop_front();
}

Status Messages::finish() {
  PAAS_CHECK(lines_.finish());
  if (!partial_.empty()) pass(std::exchange(partial_, {}));
  if (error_.empty()) return {};
  std::string hint;
  if (!last_.empty()) {
    hint = "the last lines of output:\n" + text::join({last_.begin(), last_.end()}, "\n");
  }
  return fail(ErrorKind::failed, std::string(text::trim(error_)), std::move(hint));
}

}  // namespace paas::docker
