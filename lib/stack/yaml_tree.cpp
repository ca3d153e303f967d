// Builds the tree from yaml-cpp's events, counting before anything is expanded.
#include "stack/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>

#include "stack/show.hpp"

namespace paas::stack::yaml {

namespace {

/// Thrown through yaml-cpp to leave it early; caught in read().
struct Refused {
  Problem problem;
};

/// A map or a list whose end has not been seen yet.
struct Frame {
  std::shared_ptr<Node> node;
  YAML::anchor_t anchor = 0;
  std::string path;
  std::optional<Entry> pending;                       ///< A key that waits for its value.
  std::unordered_map<std::string, std::size_t> seen;  ///< Keys and where they stand.
};

class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, std::size_t skipped, const Limits& limits)
      : text_(text), skipped_(skipped), lines_(text), limits_(limits) {}

  ReadResult take() && { return {std::move(root_), std::move(problems_)}; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      refuse(offset_of(mark), "the file has more than one YAML document",
             "a stack file is one document: remove what follows the \"---\"");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = make(mark, Kind::null);
    remember(anchor, node);
    attach(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto offset = offset_of(mark);
    if (++aliases_ > limits_.aliases) {
      refuse(offset, fmt::format("more than {} aliases", limits_.aliases),
             "write the values out instead of using *aliases");
    }
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      refuse(offset, "an alias stands inside the value that it names", "write the value out");
    }
    // Its children stay shared, yet they count as if they had been written here.
    auto node = std::make_shared<Node>(*found->second);
    node->origin = Origin::alias;
    node->offset = offset;
    count(offset, node->size);
    check_depth(offset, frames_.size() + node->height);
    attach(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    auto node = make(mark, Kind::scalar);
    node->style = scalar_style(*node);
    node->value = value;
    if (node->style == Style::plain && tag != "!" &&
        (value == "~" || value == "null" || value == "Null" || value == "NULL")) {
      node->kind = Kind::null;
    }
    remember(anchor, node);
    attach(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, Kind::sequence, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, Kind::map, style);
  }
  void OnMapEnd() override {
    merge(frames_.back());
    close();
  }

 private:
  std::size_t offset_of(const YAML::Mark& mark) const {
    const auto offset = skipped_ + static_cast<std::size_t>(std::max(mark.pos, 0));
    return std::min(offset, text_.size());
  }

  Problem problem_at(std::size_t offset, std::string path, std::string message,
                     std::string hint) const {
    const auto position = lines_.at(offset);
    return {position.line, position.column, std::move(path), std::move(message), std::move(hint)};
  }

  [[noreturn]] void refuse(std::size_t offset, std::string message, std::string hint) const {
    throw Refused{problem_at(offset, frames_.empty() ? "" : path_of_next(), std::move(message),
                             std::move(hint))};
  }

  void count(std::size_t offset, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes) {
      refuse(offset, fmt::format("more than {} values", limits_.nodes),
             "write fewer: values behind *aliases count as if they were written out");
    }
  }

  void check_depth(std::size_t offset, std::size_t depth) const {
    if (depth > limits_.depth) {
      refuse(offset, fmt::format("nested deeper than {} levels", limits_.depth),
             "nothing in a stack file needs more than a few");
    }
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.push_back(problem_at(offset_of(mark), frames_.empty() ? "" : path_of_next(),
                                   "YAML tags such as !!str are not used in a stack file",
                                   "remove the tag"));
  }

  std::shared_ptr<Node> make(const YAML::Mark& mark, Kind kind) {
    const auto offset = offset_of(mark);
    count(offset, 1);
    check_depth(offset, frames_.size() + 1);
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->offset = offset;
    return node;
  }

  /// Skips an anchor or a tag, which yaml-cpp's mark includes.
  std::size_t content_offset(std::size_t offset) const {
    while (offset < text_.size() && (text_[offset] == '&' || text_[offset] == '!')) {
      offset = std::min(text_.find_first_of(" \t\r\n", offset), text_.size());
      offset = std::min(text_.find_first_not_of(" \t\r\n", offset), text_.size());
    }
    return offset;
  }

  Style scalar_style(const Node& node) const {
    const auto offset = content_offset(node.offset);
    switch (offset < text_.size() ? text_[offset] : '\0') {
      case '\'':
      case '"':
        // yaml-cpp takes the end of the file for the closing quote.
        if (quoted_end(text_, offset) == std::string_view::npos) {
          refuse(node.offset, "a quote opens here and is never closed", "close it");
        }
        return text_[offset] == '"' ? Style::double_quoted : Style::single_quoted;
      case '|':
      case '>':
        return Style::block_scalar;
      default:
        return Style::plain;
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind,
            YAML::EmitterStyle::value style) {
    check_tag(mark, tag);
    auto node = make(mark, kind);
    node->style = style == YAML::EmitterStyle::Flow ? Style::flow : Style::block;
    auto path = frames_.empty() ? std::string{} : path_of_next();
    frames_.push_back({std::move(node), anchor, std::move(path), {}, {}});
  }

  void close() {
    auto frame = std::move(frames_.back());
    frames_.pop_back();
    remember(frame.anchor, frame.node);
    attach(std::move(frame.node));
  }

  void remember(YAML::anchor_t anchor, const std::shared_ptr<Node>& node) {
    if (anchor != 0) anchors_[anchor] = node;
  }

  std::string path_of_next() const {
    const auto& frame = frames_.back();
    if (frame.node->kind == Kind::sequence) {
      return fmt::format("{}[{}]", frame.path, frame.node->items.size());
    }
    if (!frame.pending) return frame.path;
    const auto key = show_key(frame.pending->key);
    return frame.path.empty() ? key : frame.path + "." + key;
  }

  void attach(std::shared_ptr<Node> node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& frame = frames_.back();
    auto& parent = *frame.node;
    parent.size += node->size;
    parent.height = std::max(parent.height, node->height + 1);
    if (parent.kind == Kind::sequence) {
      parent.items.push_back(std::move(node));
    } else if (!frame.pending) {
      take_key(frame, *node);
    } else {
      frame.pending->value = std::move(node);
      parent.entries.push_back(std::move(*frame.pending));
      frame.pending.reset();
    }
  }

  void take_key(Frame& frame, const Node& key) {
    if (key.kind != Kind::scalar || key.origin != Origin::own) {
      refuse(key.offset, "a key must be written as text", "write it as \"key: value\"");
    }
    frame.pending = Entry{key.value, key.offset, key.style, Origin::own, nullptr};
    const auto [first, fresh] = frame.seen.emplace(key.value, key.offset);
    if (fresh) return;
    problems_.push_back(problem_at(
        key.offset, path_of_next(), "the key stands here a second time",
        fmt::format("the first one is in line {}; keep one", lines_.at(first->second).line)));
  }

  /// `<<: *other` brings in the entries that the map does not have itself.
  void merge(Frame& frame) {
    auto& map = *frame.node;
    const auto merges = [](const Entry& entry) {
      return entry.key == "<<" && entry.key_style == Style::plain;
    };
    const auto found = std::find_if(map.entries.begin(), map.entries.end(), merges);
    if (found == map.entries.end()) return;
    const auto source = found->value;
    const auto offset = found->key_offset;
    map.entries.erase(found);
    const auto parts = source->kind == Kind::sequence ? source->items : std::vector{source};
    for (const auto& part : parts) {
      if (part->kind != Kind::map) {
        refuse(offset, "\"<<\" takes a map or a list of maps", "give it an *alias of a map");
      }
      for (auto entry : part->entries) {
        if (!frame.seen.emplace(entry.key, entry.key_offset).second) continue;
        entry.origin = Origin::merged;
        map.entries.push_back(std::move(entry));
      }
    }
  }

  std::string_view text_;
  std::size_t skipped_;
  Lines lines_;
  Limits limits_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, std::shared_ptr<Node>> anchors_;
  std::vector<Problem> problems_;
  std::shared_ptr<Node> root_;
  std::size_t nodes_ = 0;
  std::size_t aliases_ = 0;
  std::size_t documents_ = 0;
};

ReadResult failed(Problem problem) { return {nullptr, {std::move(problem)}}; }

/// What yaml-cpp's messages leave out, for the mistakes that are common.
std::string advice(std::string_view text, std::size_t offset, std::string_view message) {
  const auto line_start = text.rfind('\n', offset == 0 ? 0 : offset - 1);
  const auto start = line_start == std::string_view::npos ? 0 : line_start + 1;
  const auto content = text.find_first_not_of(" \t", start);
  if (text.substr(start, content - start).find('\t') != std::string_view::npos) {
    return "the line is indented with a tab; YAML is indented with spaces";
  }
  if (message == "illegal map value" || message == "end of map not found") {
    return "check the indentation, and quote text that has \": \" in it";
  }
  if (message == "unknown token") return "quote text that begins with @, ` or %";
  if (message.find("flow") != std::string_view::npos) return "a bracket or brace is not closed";
  return {};
}

ReadResult syntax_error(std::string_view text, std::size_t skipped, const YAML::Exception& error) {
  const auto limit = text.size();
  const auto offset =
      std::min(limit, skipped + static_cast<std::size_t>(std::max(error.mark.pos, 0)));
  const auto position = Lines(text).at(offset);
  return failed({position.line, position.column, "", fmt::format("not valid YAML: {}", error.msg),
                 advice(text, offset, error.msg)});
}

}  // namespace

const Entry* find(const Node& map, std::string_view key) {
  for (const auto& entry : map.entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

ReadResult read(std::string_view text, const Limits& limits) {
  if (text.size() > limits.bytes) {
    return failed({0, 0, "", fmt::format("the file is larger than {} KiB", limits.bytes / 1024),
                   "a stack file is a few kilobytes; is it the right file?"});
  }
  if (auto problem = check_characters(text)) return failed(std::move(*problem));
  const std::size_t skipped = text.substr(0, 3) == byte_order_mark ? 3 : 0;
  try {
    std::istringstream input{std::string(text.substr(skipped))};
    YAML::Parser parser(input);
    Builder builder(text, skipped, limits);
    while (parser.HandleNextDocument(builder)) {
    }
    auto result = std::move(builder).take();
    if (result.root == nullptr || result.root->kind == Kind::null) {
      return failed({0, 0, "", "the file is empty", "paas.yaml(5) has an example"});
    }
    return result;
  } catch (const Refused& refused) {
    return failed(refused.problem);
  } catch (const YAML::Exception& error) {
    return syntax_error(text, skipped, error);
  } catch (const std::exception& error) {
    return failed({0, 0, "", fmt::format("not valid YAML: {}", error.what()), ""});
  }
}

}  // namespace paas::stack::yaml
