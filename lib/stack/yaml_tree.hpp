// A YAML document as a tree with positions, read within caps; yaml-cpp's exceptions end here.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/parse.hpp"

namespace paas::stack::yaml {

struct Node;
using NodePtr = std::shared_ptr<const Node>;

enum class Kind { null, scalar, sequence, map };
/// How the node was written, so that an edit can be written alike.
enum class Style { plain, single_quoted, double_quoted, block_scalar, flow, block };
/// Whether the node was written where it is used, or reached through `*alias` or `<<`.
enum class Origin { own, alias, merged };

struct Entry {
  std::string key;
  std::size_t key_offset = 0;  ///< In bytes from the beginning of the text.
  Style key_style = Style::plain;
  Origin origin = Origin::own;
  NodePtr value;
};

struct Node {
  Kind kind = Kind::null;
  Style style = Style::plain;
  Origin origin = Origin::own;
  std::size_t offset = 0;  ///< Of the node, or of the alias that stands for it.
  std::string value;       ///< Of a scalar.
  std::vector<Entry> entries;
  std::vector<NodePtr> items;
  std::size_t size = 1;    ///< Nodes in this tree, aliases expanded.
  std::size_t height = 1;  ///< Levels in this tree, itself included.
};

/// The entry of that key, or nullptr.
const Entry* find(const Node& map, std::string_view key);

struct Limits {
  std::size_t bytes = 1024 * 1024;
  std::size_t depth = 32;
  std::size_t nodes = 50000;
  std::size_t aliases = 100;
};

/// Three bytes that some editors begin a file with.
inline constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

struct ReadResult {
  NodePtr root;  ///< Null when the text could not be read.
  std::vector<Problem> problems;
};

/// The first byte that is no text. yaml-cpp ends at a byte 4 and replaces bad UTF-8, so neither may
/// reach it.
std::optional<Problem> check_characters(std::string_view text);

/// Reads the one document in `text`. Aliases share their node and count as if they were written
/// out, so an alias bomb is refused before anything grows.
ReadResult read(std::string_view text, const Limits& limits = {});

struct Position {
  int line = 0;
  int column = 0;
};

/// Turns byte offsets into lines and columns, both from 1; columns count characters, not bytes.
class Lines {
 public:
  explicit Lines(std::string_view text);
  Position at(std::size_t offset) const;

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  /// How many bytes that begin no character stand before each block of the text.
  std::vector<std::size_t> continuations_;
};

/// The offset behind the closing quote of the quoted scalar at `offset`; npos when it never closes.
std::size_t quoted_end(std::string_view text, std::size_t offset);

}  // namespace paas::stack::yaml
