// Finds lines, blocks and the parts of flow lists and maps.
#include "stack/layout.hpp"

#include <algorithm>

#include "stack/yaml_tree.hpp"

namespace paas::stack::layout {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Reads a flow collection character by character; the text is known to be valid YAML.
class FlowScanner {
 public:
  FlowScanner(std::string_view text, std::size_t open) : text_(text), at_(open) {
    flow_.open = open;
  }

  std::optional<Flow> scan() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_blank(c)) {
        ++at_;
      } else if (c == '#' && at_ > 0 && is_blank(text_[at_ - 1])) {
        at_ = line_stop(text_, at_);
      } else if (token_start_ && (c == '"' || c == '\'')) {
        if (!quoted()) return std::nullopt;
      } else if (token_start_ && (c == '&' || c == '!')) {
        property();
      } else if (structure(c)) {
        if (depth_ == 0) return std::move(flow_);
      } else {
        plain(c);
      }
    }
    return std::nullopt;
  }

 private:
  void grow(std::size_t end) {
    if (depth_ == 0) return;
    if (!part_) part_ = Span{at_, end};
    part_->end = end;
  }

  bool quoted() {
    const auto end = yaml::quoted_end(text_, at_);
    if (end == std::string_view::npos) return false;
    grow(end);
    at_ = end;
    flow_.trailing_comma = false;
    token_start_ = false;
    after_quote_ = true;
    return true;
  }

  /// An anchor or a tag: a value may still begin after it.
  void property() {
    const auto end = std::min(text_.find_first_of(" \t\r\n,]}", at_), text_.size());
    grow(end);
    flow_.trailing_comma = false;
    at_ = end;
  }

  void finish_part() {
    if (part_) flow_.parts.push_back(*part_);
    part_.reset();
  }

  /// Brackets, commas and colons; false when `c` is none of them here.
  bool structure(char c) {
    if (c == '[' || c == '{') {
      grow(at_ + 1);
      ++depth_;
    } else if (c == ']' || c == '}') {
      --depth_;
      if (depth_ == 0) {
        finish_part();
        flow_.close = at_;
      }
      grow(at_ + 1);
    } else if (c == ',') {
      if (depth_ == 1) {
        finish_part();
      } else {
        grow(at_ + 1);
      }
    } else {
      return false;
    }
    flow_.trailing_comma = depth_ == 1 ? c == ',' : depth_ == 0 && flow_.trailing_comma;
    token_start_ = c == '[' || c == '{' || c == ',';
    after_quote_ = false;
    ++at_;
    return true;
  }

  void plain(char c) {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\n';
    const bool indicates = is_blank(next) || next == ',' || next == ']' || next == '}';
    grow(at_ + 1);
    token_start_ = (c == ':' && (indicates || after_quote_)) || (c == '?' && indicates);
    after_quote_ = false;
    flow_.trailing_comma = false;
    ++at_;
  }

  std::string_view text_;
  std::size_t at_;
  int depth_ = 0;
  bool token_start_ = true;   ///< A quote here would begin a quoted text.
  bool after_quote_ = false;  ///< A colon here ends a key, whatever follows.
  std::optional<Span> part_;
  Flow flow_;
};

}  // namespace

std::string line_end(std::string_view text) {
  const auto feed = text.find('\n');
  return feed != std::string_view::npos && feed > 0 && text[feed - 1] == '\r' ? "\r\n" : "\n";
}

std::size_t line_start(std::string_view text, std::size_t offset) {
  const auto feed = offset == 0 ? std::string_view::npos : text.rfind('\n', offset - 1);
  return feed == std::string_view::npos ? 0 : feed + 1;
}

std::size_t line_stop(std::string_view text, std::size_t offset) {
  auto stop = std::min(text.find('\n', offset), text.size());
  if (stop < text.size() && stop > offset && text[stop - 1] == '\r') --stop;
  return stop;
}

std::size_t next_line(std::string_view text, std::size_t offset) {
  const auto feed = text.find('\n', offset);
  return feed == std::string_view::npos ? text.size() : feed + 1;
}

std::size_t column(std::string_view text, std::size_t offset) {
  return offset - line_start(text, offset);
}

Span block_lines(std::string_view text, std::size_t offset, std::size_t indent) {
  Span span{line_start(text, offset), next_line(text, offset)};
  for (auto start = span.end; start < text.size();) {
    const auto end = next_line(text, start);
    const auto content = std::min(text.find_first_not_of(' ', start), text.size());
    const bool blank = content >= line_stop(text, start) || text[content] == '\r';
    if (!blank && content - start <= indent) break;
    if (!blank) span.end = end;
    start = end;
  }
  return span;
}

std::optional<Flow> scan_flow(std::string_view text, std::size_t open) {
  if (open >= text.size() || (text[open] != '[' && text[open] != '{')) return std::nullopt;
  return FlowScanner(text, open).scan();
}

}  // namespace paas::stack::layout
