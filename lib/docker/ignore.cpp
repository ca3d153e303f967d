// .dockerignore as Docker's reference and its pattern matcher have it.
#include "docker/ignore.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace paas::docker {
namespace {

std::bitset<256> only(char c) {
  std::bitset<256> set;
  set.set(static_cast<unsigned char>(c));
  return set;
}

std::bitset<256> all_but_slash() { return ~only('/'); }

/// The set of "[...]" whose "[" was read; advances behind its end. Nothing when it has no end.
std::optional<std::bitset<256>> read_class(std::string_view text, std::size_t& at) {
  std::bitset<256> set;
  const bool negated = at < text.size() && text[at] == '^';
  if (negated) ++at;
  const auto next = [&]() -> std::optional<unsigned char> {
    if (at < text.size() && text[at] == '\\') ++at;
    if (at >= text.size()) return std::nullopt;
    return static_cast<unsigned char>(text[at++]);
  };
  for (bool first = true; first || (at < text.size() && text[at] != ']'); first = false) {
    const auto low = next();
    if (!low) return std::nullopt;
    auto high = low;
    if (at + 1 < text.size() && text[at] == '-' && text[at + 1] != ']') {
      ++at;
      high = next();
      if (!high || *high < *low) return std::nullopt;
    }
    for (unsigned c = *low; c <= *high; ++c) set.set(c);
  }
  if (at >= text.size()) return std::nullopt;
  ++at;
  return negated ? ~set : set;
}

/// Without ".", "..", doubled and trailing slashes, as Go's filepath.Clean.
std::string clean(std::string_view path) {
  const bool absolute = !path.empty() && path.front() == '/';
  std::vector<std::string> kept;
  for (auto& part : text::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (part != ".." || !absolute) {
      kept.push_back(std::move(part));
    }
  }
  const auto joined = text::join(kept, "/");
  if (absolute) return "/" + joined;
  return joined.empty() ? "." : joined;
}

}  // namespace

Result<PathPattern> PathPattern::parse(std::string_view text) {
  PathPattern pattern;
  bool fixed = true;
  for (std::size_t at = 0; at < text.size();) {
    Token token;
    char c = text[at++];
    if (c == '*' && at < text.size() && text[at] == '*') {
      ++at;
      if (at < text.size() && text[at] == '/') ++at;
      token.kind = at == text.size() ? Kind::everything : Kind::folders;
    } else if (c == '*') {
      token.kind = Kind::segment;
    } else if (c == '?') {
      token.set = all_but_slash();
    } else if (c == '[') {
      const auto set = read_class(text, at);
      if (!set) return fail(ErrorKind::invalid, fmt::format("the pattern {} is malformed", text));
      token.set = *set;
    } else {
      if (c == '\\') {
        if (at == text.size()) {
          return fail(ErrorKind::invalid, fmt::format("the pattern {} is malformed", text));
        }
        c = text[at++];
      }
      token.set = only(c);
      if (fixed) pattern.fixed_ += c;
      pattern.tokens_.push_back(token);
      continue;
    }
    fixed = false;
    pattern.tokens_.push_back(token);
  }
  return pattern;
}

// Follows all ways through the pattern at once, so that no pattern takes more than its length times
// the path's.
bool PathPattern::matches(std::string_view path) const {
  const auto count = tokens_.size();
  // State 2i: before token i. State 2i + 1: inside the "**/" of token i, where only a "/" leads on.
  std::vector<bool> states(2 * count + 2);
  const auto enter = [&](std::vector<bool>& set) {
    for (std::size_t i = 0; i < count; ++i) {
      if (set[2 * i] && tokens_[i].kind != Kind::one_of) set[2 * i + 2] = true;
    }
  };
  states[0] = true;
  enter(states);
  for (const char c : path) {
    std::vector<bool> next(states.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto& token = tokens_[i];
      const bool before = states[2 * i];
      const bool inside = states[2 * i + 1];
      if (token.kind == Kind::one_of) {
        if (before && token.set[static_cast<unsigned char>(c)]) next[2 * i + 2] = true;
      } else if (token.kind == Kind::segment) {
        if (before && c != '/') next[2 * i] = true;
      } else if (token.kind == Kind::everything) {
        if (before) next[2 * i] = true;
      } else if (before || inside) {
        next[2 * i + 1] = true;
        if (c == '/') next[2 * i + 2] = true;
      }
    }
    enter(next);
    states = std::move(next);
  }
  return states[2 * count];
}

bool PathPattern::may_match_below(std::string_view folder) const {
  const auto prefix = std::string(folder) + '/';
  const auto common = std::min(prefix.size(), fixed_.size());
  return prefix.compare(0, common, fixed_, 0, common) == 0;
}

Result<IgnoreRules> IgnoreRules::parse(std::string_view text, const std::string& file) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) {
    text.remove_prefix(byte_order_mark.size());
  }
  IgnoreRules rules;
  int number = 0;
  for (const auto& line : text::lines(text)) {
    ++number;
    auto rest = text::trim(line);
    // A comment's "#" is the line's first character; behind blanks it belongs to a name.
    if (rest.empty() || line.front() == '#') continue;
    const bool includes = rest.front() == '!';
    if (includes) rest = text::trim(rest.substr(1));
    if (rest.empty()) {
      return fail(ErrorKind::invalid, fmt::format("{}:{}: \"!\" without a pattern", file, number));
    }
    auto pattern = clean(rest);
    if (pattern.size() > 1 && pattern.front() == '/') pattern.erase(0, 1);
    auto parsed = PathPattern::parse(pattern);
    if (!parsed) {
      return fail(ErrorKind::invalid,
                  fmt::format("{}:{}: {}", file, number, parsed.error().message));
    }
    rules.rules_.push_back({std::move(*parsed), includes});
  }
  return rules;
}

bool IgnoreRules::ignores(std::string_view path) const {
  bool ignored = false;
  for (const auto& rule : rules_) {
    // A rule that would not change anything need not be looked at.
    if (rule.includes != ignored) continue;
    bool matched = rule.pattern.matches(path);
    for (auto slash = path.find('/'); !matched && slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      matched = rule.pattern.matches(path.substr(0, slash));
    }
    if (matched) ignored = !rule.includes;
  }
  return ignored;
}

bool IgnoreRules::may_include_below(std::string_view folder) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const Rule& rule) {
    return rule.includes && rule.pattern.may_match_below(folder);
  });
}

}  // namespace paas::docker
