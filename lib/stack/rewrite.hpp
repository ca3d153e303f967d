// Changes to lists and maps in a stack file's text, written as their neighbours are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stack/layout.hpp"
#include "stack/yaml_tree.hpp"

namespace paas::stack::rewrite {

struct ItemEntry;

/// A text, a number, or a map or a list of such, to be written into the file.
struct Item {
  std::string text;
  std::vector<ItemEntry> entries;  ///< Not empty: a map.
  std::vector<Item> items = {};    ///< Not empty: a list, which is always in brackets.
  bool is_number = false;          ///< Never in quotes, in which it would be a text.
};

struct ItemEntry {
  std::string key;
  Item value;
};

/// A piece of the text and what stands there instead.
struct Edit {
  layout::Span span;
  std::string replacement;
};
using Edits = std::vector<Edit>;

std::string apply(std::string_view text, Edits edits);

/// How a new list is written.
enum class ListStyle { flow, block };

/// All of these return no edits where the text cannot be edited in place: where it comes from an
/// alias, or is laid out in a way that is not understood.

/// Puts `item` before item number `index` (from 0) of the list at `entry`, or at its end.
Edits insert_item(std::string_view text, const yaml::Entry& entry, std::size_t index,
                  const Item& item);
Edits remove_item(std::string_view text, const yaml::Entry& entry, std::size_t index);
/// Adds `key` with a list of one item at the end of the map at `entry`.
Edits add_list(std::string_view text, const yaml::Entry& entry, const std::string& key,
               const Item& item, ListStyle style);

}  // namespace paas::stack::rewrite
