// .dockerignore: which paths of a folder stay out of the build context.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace paas::docker {

/// A pattern as Docker reads it: "*" and "?" stop at "/", "**" does not, "[a-z]" and "[^a-z]" are
/// classes, a backslash takes the next character as it is.
class PathPattern {
 public:
  /// Error (invalid): a class that does not end.
  static Result<PathPattern> parse(std::string_view text);
  bool matches(std::string_view path) const;
  /// Whether something below `folder` could match.
  bool may_match_below(std::string_view folder) const;

 private:
  enum class Kind {
    one_of,      ///< One character of a set.
    segment,     ///< "*": any characters but "/".
    everything,  ///< "**" at the end.
    folders,     ///< "**/": nothing, or folders with their last "/".
  };
  struct Token {
    Kind kind = Kind::one_of;
    std::bitset<256> set;
  };

  std::vector<Token> tokens_;
  std::string fixed_;  ///< What every match begins with.
};

/// The rules of one file; the last that matches a path or a folder above it decides.
class IgnoreRules {
 public:
  /// Error (invalid): "FILE:LINE: what is wrong".
  static Result<IgnoreRules> parse(std::string_view text, const std::string& file);

  bool ignores(std::string_view path) const;
  /// Whether an ignored folder has to be looked into all the same, because of a rule with "!".
  bool may_include_below(std::string_view folder) const;

 private:
  struct Rule {
    PathPattern pattern;
    bool includes = false;  ///< It began with "!".
  };
  std::vector<Rule> rules_;
};

}  // namespace paas::docker
