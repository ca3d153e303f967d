// Walks the tree of a stack file: typed values, required and unknown keys, problems with places.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stack/parse.hpp"
#include "stack/values.hpp"
#include "stack/yaml_tree.hpp"

namespace paas::stack {

/// A value and the key path that leads to it.
struct Field {
  yaml::NodePtr node;
  std::string path;
};

/// The entries of a map whose keys are known.
using Fields = std::map<std::string, Field, std::less<>>;

class Reader {
 public:
  /// `problems` are those that reading the tree brought.
  Reader(std::string_view text, std::vector<Problem> problems);

  /// Notes a problem at a key path that was visited, or at the nearest one above it.
  void report(const std::string& path, std::string message, std::string hint = {});
  /// Reports that `map` lacks `key`, unless it is no map or has a key that was meant to be this
  /// one.
  void missing(const Field& map, const std::string& key, std::string hint);
  /// The same for a map that is known to be one.
  void missing(const std::string& path, std::string hint);
  /// Keeps what builds on the path from being judged, without a problem of its own.
  void leave_out(const std::string& path) { broken_.insert(path); }
  /// Whether something at the path or below it was reported: what builds on it is not judged.
  bool is_broken(const std::string& path) const;
  /// The line of a key path that was visited, 0 for one that was not.
  int line_of(const std::string& path) const;
  std::vector<Problem> take() &&;

  Field root(yaml::NodePtr node);
  /// The entries under `keys`; others are reported. Nothing when the field is no map.
  Fields fields(const Field& map, const std::vector<std::string>& keys);
  /// All entries, in the file's order.
  std::vector<std::pair<std::string, Field>> entries(const Field& map);
  std::vector<Field> items(const Field& list);
  /// A scalar as it was written; numbers and booleans are text as well.
  std::optional<std::string> text(const Field& field);
  /// A scalar that was written without quotes, for numbers.
  std::optional<std::string> plain(const Field& field, std::string_view wanted);

  /// text() held to what `parse` accepts.
  template <typename T>
  std::optional<T> value(const Field& field, Parsed<T> (*parse)(std::string_view)) {
    const auto written = text(field);
    return written ? accept(field, parse(*written)) : std::nullopt;
  }
  std::optional<int> integer(const Field& field, int min, int max);

  /// Reports a fault at the field, or hands on the value.
  template <typename T>
  std::optional<T> accept(const Field& field, Parsed<T> parsed) {
    if (parsed) return std::move(*parsed);
    report(field.path, parsed.error().message, parsed.error().hint);
    return std::nullopt;
  }

 private:
  void visit(const std::string& path, std::size_t offset) { places_.emplace(path, offset); }
  void wrong_kind(const Field& field, std::string_view wanted);

  yaml::Lines lines_;
  std::map<std::string, std::size_t> places_;
  std::set<std::string> broken_;
  std::set<std::string> misspelt_;  ///< Paths that a problem suggested.
  std::vector<Problem> problems_;
};

}  // namespace paas::stack
