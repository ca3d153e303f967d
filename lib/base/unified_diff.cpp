// Finds the longest common part of two lists of lines, and shows the rest.
#include "base/unified_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace paas::text {

namespace {

using Lines = std::vector<std::string>;

/// Kept (' '), removed ('-') or added ('+').
struct Change {
  char mark = ' ';
  std::string line;
};

/// How long the longest common part is of what follows line i of one and line j of the other.
class CommonLengths {
 public:
  CommonLengths(const Lines& before, const Lines& after)
      : width_(after.size() + 1), lengths_((before.size() + 1) * width_) {
    for (std::size_t i = before.size(); i-- > 0;) {
      for (std::size_t j = after.size(); j-- > 0;) {
        lengths_[i * width_ + j] =
            before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  std::uint32_t at(std::size_t i, std::size_t j) const { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> lengths_;
};

/// Of texts that neither begin nor end with the same line.
std::vector<Change> compare_middle(const Lines& before, const Lines& after) {
  std::vector<Change> changes;
  std::size_t i = 0;
  std::size_t j = 0;
  constexpr std::size_t cells_max = 16'000'000;
  if ((before.size() + 1) * (after.size() + 1) <= cells_max) {
    const CommonLengths common(before, after);
    while (i < before.size() && j < after.size()) {
      if (before[i] == after[j]) {
        changes.push_back({' ', before[i]});
        ++i;
        ++j;
      } else if (common.at(i + 1, j) >= common.at(i, j + 1)) {
        changes.push_back({'-', before[i++]});
      } else {
        changes.push_back({'+', after[j++]});
      }
    }
  }
  while (i < before.size()) changes.push_back({'-', before[i++]});
  while (j < after.size()) changes.push_back({'+', after[j++]});
  return changes;
}

std::vector<Change> compare(const Lines& before, const Lines& after) {
  const auto shorter = static_cast<std::ptrdiff_t>(std::min(before.size(), after.size()));
  const auto head =
      std::mismatch(before.begin(), before.begin() + shorter, after.begin()).first - before.begin();
  const auto tail =
      std::mismatch(before.rbegin(), before.rbegin() + (shorter - head), after.rbegin()).first -
      before.rbegin();
  std::vector<Change> changes;
  for (auto line = before.begin(); line != before.begin() + head; ++line) {
    changes.push_back({' ', *line});
  }
  for (auto& change : compare_middle({before.begin() + head, before.end() - tail},
                                     {after.begin() + head, after.end() - tail})) {
    changes.push_back(std::move(change));
  }
  for (auto line = before.end() - tail; line != before.end(); ++line) {
    changes.push_back({' ', *line});
  }
  return changes;
}

/// "12,4"; a part without lines stands behind the line before it.
std::string range(std::size_t lines_before, std::size_t count) {
  const auto first = count == 0 ? lines_before : lines_before + 1;
  return count == 1 ? std::to_string(first) : fmt::format("{},{}", first, count);
}

std::size_t count_with(const std::vector<Change>& changes, std::size_t begin, std::size_t end,
                       char mark) {
  return static_cast<std::size_t>(std::count_if(
      changes.begin() + static_cast<std::ptrdiff_t>(begin),
      changes.begin() + static_cast<std::ptrdiff_t>(end),
      [&](const Change& change) { return change.mark == ' ' || change.mark == mark; }));
}

std::string hunk(const std::vector<Change>& changes, std::size_t begin, std::size_t end) {
  auto text =
      fmt::format("@@ -{} +{} @@\n",
                  range(count_with(changes, 0, begin, '-'), count_with(changes, begin, end, '-')),
                  range(count_with(changes, 0, begin, '+'), count_with(changes, begin, end, '+')));
  for (auto i = begin; i < end; ++i) text += changes[i].mark + changes[i].line + '\n';
  return text;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, const DiffNames& names) {
  constexpr std::size_t context = 3;
  const auto changes = compare(lines(before), lines(after));
  const auto next_change = [&](std::size_t from) {
    while (from < changes.size() && changes[from].mark == ' ') ++from;
    return from;
  };
  std::string text;
  for (auto at = next_change(0); at < changes.size();) {
    const auto begin = at - std::min(at, context);
    auto end = at + 1;
    // Changes with few lines between them stand together.
    for (auto next = at; next < changes.size() && next < end + 2 * context + 1;
         next = next_change(next + 1)) {
      end = next + 1;
    }
    at = next_change(end);
    text += hunk(changes, begin, std::min(changes.size(), end + context));
  }
  if (text.empty()) return "";
  return fmt::format("--- {}\n+++ {}\n{}", names.before, names.after, text);
}

}  // namespace paas::text
