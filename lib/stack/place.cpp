// Walks the tree of a stack file along keys.
#include "stack/place.hpp"

#include "base/text.hpp"

namespace paas::stack {

std::optional<yaml::Position> place_of(std::string_view yaml,
                                       const std::vector<std::string>& keys) {
  const auto tree = yaml::read(yaml);
  auto node = tree.root;
  for (const auto& key : keys) {
    if (node != nullptr && node->kind == yaml::Kind::sequence) {
      const auto index = text::to_integer(key);
      const bool is_there =
          index && *index >= 0 && static_cast<std::size_t>(*index) < node->items.size();
      node = is_there ? node->items[static_cast<std::size_t>(*index)] : nullptr;
      continue;
    }
    if (node == nullptr || node->kind != yaml::Kind::map) return std::nullopt;
    const auto* entry = yaml::find(*node, key);
    node = entry == nullptr ? nullptr : entry->value;
  }
  if (node == nullptr) return std::nullopt;
  return yaml::Lines(yaml).at(node->offset);
}

}  // namespace paas::stack
