// Writes items and keys into lists and maps, flow or block.
#include "stack/rewrite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace paas::stack::rewrite {

namespace {

using layout::Flow;
using layout::Span;
using yaml::Entry;
using yaml::Kind;
using yaml::Node;
using yaml::Origin;
using yaml::Style;

/// The styles that new keys and texts are written in.
struct Quoting {
  Style keys = Style::plain;
  Style texts = Style::plain;
};

bool can_be_plain(std::string_view text) {
  constexpr std::string_view safe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/.-";
  const auto word = text::lower(text);
  return !text.empty() && text.front() != '-' &&
         text.find_first_not_of(safe) == std::string_view::npos && word != "null" &&
         word != "true" && word != "false" && word != "yes" && word != "no" && word != "on" &&
         word != "off";
}

std::string double_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string scalar(const std::string& text, Style style) {
  const bool printable = std::none_of(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  if (style == Style::single_quoted && printable) {
    return fmt::format("'{}'", text::replace_all(text, "'", "''"));
  }
  if (style == Style::plain && can_be_plain(text)) return text;
  return double_quoted(text);
}

std::string flow_text(const Item& item, const Quoting& quoting) {
  std::vector<std::string> parts;
  if (!item.items.empty()) {
    for (const auto& each : item.items) parts.push_back(flow_text(each, quoting));
    return fmt::format("[{}]", text::join(parts, ", "));
  }
  if (item.is_number) return item.text;
  if (item.entries.empty()) return scalar(item.text, quoting.texts);
  for (const auto& [key, value] : item.entries) {
    parts.push_back(scalar(key, quoting.keys) + ": " + flow_text(value, quoting));
  }
  return fmt::format("{{{}}}", text::join(parts, ", "));
}

std::vector<std::string> block_lines_of(const Item& item, const Quoting& quoting) {
  if (item.entries.empty()) return {flow_text(item, quoting)};
  std::vector<std::string> lines;
  for (const auto& [key, value] : item.entries) {
    const auto below = block_lines_of(value, quoting);
    const auto name = scalar(key, quoting.keys) + ":";
    if (value.entries.empty()) {
      lines.push_back(name + " " + below.front());
      continue;
    }
    lines.push_back(name);
    for (const auto& line : below) lines.push_back("  " + line);
  }
  return lines;
}

/// The style that all texts among the list's items have in common; `otherwise` when they differ.
Style common_style(const Node& list, Style otherwise) {
  std::optional<Style> common;
  for (const auto& item : list.items) {
    const auto* node = item.get();
    if (const auto* const to = yaml::find(*node, "to")) node = to->value.get();
    if (node->kind != Kind::scalar) continue;
    if (common && *common != node->style) return otherwise;
    common = node->style;
  }
  return common.value_or(otherwise);
}

Quoting quoting_of(const Entry& entry) {
  Quoting quoting{entry.key_style, entry.key_style};
  const auto& node = *entry.value;
  if (node.kind == Kind::sequence) quoting.texts = common_style(node, quoting.texts);
  for (const auto& item : node.items) {
    if (!item->entries.empty()) quoting.keys = item->entries.front().key_style;
  }
  return quoting;
}

bool has_line_end(std::string_view text, std::size_t begin, std::size_t end) {
  return text.substr(begin, end - begin).find('\n') != std::string_view::npos;
}

std::size_t skip_blanks(std::string_view text, std::size_t offset) {
  return std::min(text.find_first_not_of(" \t", offset), text.size());
}

bool has_comma(std::string_view text, std::size_t offset) {
  const auto at = skip_blanks(text, offset);
  return at < text.size() && text[at] == ',';
}

/// Whether the part has its lines for itself, comments aside.
bool is_alone(std::string_view text, const Flow& flow, const Span& part) {
  const auto start = layout::line_start(text, part.begin);
  if (flow.open >= start || skip_blanks(text, start) != part.begin) return false;
  auto at = skip_blanks(text, part.end);
  if (at < text.size() && text[at] == ',') at = skip_blanks(text, at + 1);
  return at >= layout::line_stop(text, part.end) || text[at] == '#' || text[at] == '\r';
}

Edits append_line_to_flow(std::string_view text, const Flow& flow, const std::string& item) {
  const auto& last = flow.parts.back();
  const std::string indent(layout::column(text, last.begin), ' ');
  const auto stop = layout::line_stop(text, last.end);
  Edits edits;
  if (!flow.trailing_comma) edits.push_back({{last.end, last.end}, ","});
  edits.push_back(
      {{stop, stop}, layout::line_end(text) + indent + item + (flow.trailing_comma ? "," : "")});
  return edits;
}

Edits insert_part(std::string_view text, const Flow& flow, std::size_t index,
                  const std::string& item) {
  const auto& parts = flow.parts;
  if (parts.empty()) {
    const bool blank = !has_line_end(text, flow.open, flow.close);
    return {{{flow.open + 1, blank ? flow.close : flow.open + 1}, item}};
  }
  if (index < parts.size()) {
    const auto at = parts[index].begin;
    const auto separator =
        is_alone(text, flow, parts[index])
            ? fmt::format(",{}{:{}}", layout::line_end(text), "", layout::column(text, at))
            : std::string(", ");
    return {{{at, at}, item + separator}};
  }
  if (is_alone(text, flow, parts.back())) return append_line_to_flow(text, flow, item);
  return {{{parts.back().end, parts.back().end}, ", " + item}};
}

Edits remove_part(std::string_view text, const Flow& flow, std::size_t index) {
  const auto& parts = flow.parts;
  const auto& part = parts[index];
  const auto inner = text.substr(flow.open + 1, flow.close - flow.open - 1);
  if (parts.size() == 1 && inner.find('#') == std::string_view::npos) {
    return {{{flow.open + 1, flow.close}, ""}};
  }
  const bool last = index + 1 == parts.size();
  const auto own_comma = skip_blanks(text, part.end);
  const auto end = has_comma(text, part.end) ? own_comma + 1 : part.end;
  Edits edits;
  if (last && index > 0 && !flow.trailing_comma) {
    const auto before = parts[index - 1].end;
    const bool commented = text.substr(before, part.begin - before).find('#') != std::string::npos;
    if (!commented && !is_alone(text, flow, part)) return {{{before, part.end}, ""}};
    const auto comma = text.find(',', before);
    edits.push_back({{comma, comma + 1}, ""});
  }
  if (is_alone(text, flow, part)) {
    edits.push_back(
        {{layout::line_start(text, part.begin), layout::next_line(text, part.end)}, ""});
  } else if (last) {
    edits.push_back({{part.begin, end}, ""});
  } else {
    edits.push_back({{part.begin, parts[index + 1].begin}, ""});
  }
  return edits;
}

/// The dash of a block list's item: it may stand on a line above what follows it.
std::optional<std::size_t> dash_of(std::string_view text, const Node& list, std::size_t index) {
  const auto wanted = layout::column(text, list.offset);
  auto start = layout::line_start(text, list.items[index]->offset);
  while (true) {
    const auto at = std::min(text.find_first_not_of(' ', start), text.size());
    if (at < text.size() && text[at] == '-' && at - start == wanted) return at;
    if (start <= list.offset) return std::nullopt;
    start = layout::line_start(text, start - 1);
  }
}

/// `lines` as an item of a block list, with the line end.
std::string as_block_item(const std::vector<std::string>& lines, std::size_t indent,
                          const std::string& line_end) {
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    result += std::string(indent, ' ') + (i == 0 ? "- " : "  ") + lines[i] + line_end;
  }
  return result;
}

/// Puts whole lines at the beginning of a line, or behind a last line that has no end.
Edit insert_lines(std::string_view text, std::size_t at, std::string lines) {
  if (at == text.size() && !text.empty() && text.back() != '\n') {
    const auto end = layout::line_end(text);
    lines = end + lines.substr(0, lines.size() - end.size());
  }
  return {{at, at}, std::move(lines)};
}

bool is_block_list(std::string_view text, const Node& node) {
  return node.kind == Kind::sequence && node.style == Style::block && text[node.offset] == '-';
}

Edits insert_block_item(std::string_view text, const Entry& entry, std::size_t index,
                        const Item& item) {
  const auto& list = *entry.value;
  const auto indent = layout::column(text, list.offset);
  auto at = layout::next_line(text, entry.key_offset);
  if (index > 0) {
    const auto dash = dash_of(text, list, index - 1);
    if (!dash) return {};
    at = layout::block_lines(text, *dash, indent).end;
  }
  const auto quoting = quoting_of(entry);
  // Maps are written as the list's other maps are, braces being the default.
  const auto model = std::find_if(list.items.begin(), list.items.end(),
                                  [](const auto& other) { return other->kind == Kind::map; });
  const bool in_lines = model != list.items.end() && (*model)->style == Style::block;
  const auto lines =
      in_lines ? block_lines_of(item, quoting) : std::vector{flow_text(item, quoting)};
  return {insert_lines(text, at, as_block_item(lines, indent, layout::line_end(text)))};
}

/// Behind the colon of the entry's key.
std::optional<std::size_t> behind_colon(std::string_view text, const Entry& entry) {
  const bool quoted = entry.key_style != Style::plain;
  const auto end =
      quoted ? yaml::quoted_end(text, entry.key_offset) : entry.key_offset + entry.key.size();
  const auto at = end < text.size() ? skip_blanks(text, end) : text.size();
  if (at >= text.size() || text[at] != ':') return std::nullopt;
  return at + 1;
}

Edits remove_block_item(std::string_view text, const Entry& entry, std::size_t index) {
  const auto& list = *entry.value;
  const auto dash = dash_of(text, list, index);
  if (!dash) return {};
  Edits edits = {{layout::block_lines(text, *dash, layout::column(text, list.offset)), ""}};
  if (list.items.size() == 1) {
    const auto colon = behind_colon(text, entry);
    if (!colon) return {};
    edits.push_back({{*colon, *colon}, " []"});
  }
  return edits;
}

/// Where the lines of a block map end.
std::optional<std::size_t> block_map_end(std::string_view text, const Node& map) {
  const auto indent = layout::column(text, map.offset);
  const Entry* last = nullptr;
  for (const auto& entry : map.entries) {
    if (entry.origin == Origin::own) last = &entry;
  }
  if (last == nullptr) return std::nullopt;
  auto end = layout::block_lines(text, last->key_offset, indent).end;
  const auto& value = *last->value;
  if (value.origin == Origin::alias) return end;
  if (is_block_list(text, value)) {
    // Its dashes may stand right below the key.
    const auto dash = dash_of(text, value, value.items.size() - 1);
    if (!dash) return std::nullopt;
    const auto column = layout::column(text, *dash);
    end = std::max(end, layout::block_lines(text, *dash, column).end);
  } else if (const auto flow = layout::scan_flow(text, value.offset)) {
    end = std::max(end, layout::next_line(text, flow->close));
  }
  return end;
}

bool is_own(const Entry& entry) {
  return entry.origin == Origin::own && entry.value->origin == Origin::own;
}

}  // namespace

std::string apply(std::string_view text, Edits edits) {
  std::stable_sort(edits.begin(), edits.end(),
                   [](const Edit& a, const Edit& b) { return a.span.begin < b.span.begin; });
  std::string result;
  std::size_t done = 0;
  for (const auto& edit : edits) {
    result += text.substr(done, edit.span.begin - done);
    result += edit.replacement;
    done = edit.span.end;
  }
  return result + std::string(text.substr(done));
}

Edits insert_item(std::string_view text, const Entry& entry, std::size_t index, const Item& item) {
  if (!is_own(entry)) return {};
  const auto& list = *entry.value;
  if (is_block_list(text, list)) return insert_block_item(text, entry, index, item);
  const auto flow = layout::scan_flow(text, list.offset);
  if (!flow || flow->parts.size() != list.items.size()) return {};
  return insert_part(text, *flow, index, flow_text(item, quoting_of(entry)));
}

Edits remove_item(std::string_view text, const Entry& entry, std::size_t index) {
  if (!is_own(entry)) return {};
  const auto& list = *entry.value;
  if (is_block_list(text, list)) return remove_block_item(text, entry, index);
  const auto flow = layout::scan_flow(text, list.offset);
  if (!flow || flow->parts.size() != list.items.size()) return {};
  return remove_part(text, *flow, index);
}

Edits add_list(std::string_view text, const Entry& entry, const std::string& key, const Item& item,
               ListStyle style) {
  if (!is_own(entry) || entry.value->entries.empty()) return {};
  const auto& map = *entry.value;
  const auto key_style = map.entries.front().key_style;
  const Quoting quoting{key_style, key_style};
  const auto name = scalar(key, quoting.keys) + ":";
  const auto in_brackets = name + " [" + flow_text(item, quoting) + "]";
  if (map.style == Style::flow) {
    const auto flow = layout::scan_flow(text, map.offset);
    return flow ? insert_part(text, *flow, flow->parts.size(), in_brackets) : Edits{};
  }
  const auto end = block_map_end(text, map);
  if (!end) return {};
  const auto indent = layout::column(text, map.offset);
  const auto line_end = layout::line_end(text);
  const auto list = style == ListStyle::flow
                        ? std::string(indent, ' ') + in_brackets + line_end
                        : std::string(indent, ' ') + name + line_end +
                              as_block_item({flow_text(item, quoting)}, indent + 2, line_end);
  return {insert_lines(text, *end, list)};
}

}  // namespace paas::stack::rewrite
