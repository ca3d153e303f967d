// Small operations on text, without a locale.
#include "base/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <numeric>

namespace paas::text {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const auto end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::vector<std::string> lines(std::string_view text) {
  auto parts = split(text, '\n');
  if (parts.back().empty()) parts.pop_back();
  for (auto& part : parts) {
    if (!part.empty() && part.back() == '\r') part.pop_back();
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  // An empty text is found everywhere, so there would be no end.
  if (from.empty()) return text;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

std::size_t nesting(std::string_view json) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool is_quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted && c == '\\') ++i;
    if (is_quoted) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest;
}

std::string bytes(std::uint64_t count) {
  constexpr std::array units = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (count < 1000) return fmt::format("{} B", count);
  double value = static_cast<double>(count);
  std::size_t unit = 0;
  // 999.95 would be printed as 1000.0, so it already belongs to the next unit.
  for (value /= 1000; value >= 999.95 && unit + 1 < units.size(); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, units[unit]);
}

std::string duration(std::chrono::milliseconds value) {
  // A clock that was set back does not make anything take less than no time.
  value = std::max(value, std::chrono::milliseconds(0));
  const auto tenths = (value.count() + 50) / 100;
  if (tenths < 600) return fmt::format("{}.{}s", tenths / 10, tenths % 10);
  const auto seconds = (value.count() + 500) / 1000;
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

std::string timestamp(std::chrono::system_clock::time_point value) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(value)));
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  const auto width = right.size() + 1;
  std::vector<std::size_t> two_above(width);
  std::vector<std::size_t> above(width);
  std::vector<std::size_t> row(width);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::swap(two_above, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const auto substituted = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substituted});
      const bool swapped =
          i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
  }
  return row.back();
}

std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates) {
  const std::size_t limit = std::max<std::size_t>(1, name.size() / 3);
  const auto wanted = lower(name);
  std::optional<std::string> best;
  auto best_distance = limit + 1;
  for (const auto& candidate : candidates) {
    // The lengths' difference is the least that it can be, so most need not be compared.
    const auto longer = std::max(candidate.size(), wanted.size());
    if (longer - std::min(candidate.size(), wanted.size()) >= best_distance) continue;
    const auto distance = edit_distance(wanted, lower(candidate));
    // Names without a character in common are not near, however short they are.
    if (distance < best_distance && distance < longer) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

namespace {
constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string base64_encode(std::string_view data) {
  std::string result;
  result.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    std::uint32_t group = 0;
    const auto present = std::min<std::size_t>(3, data.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < present ? static_cast<unsigned char>(data[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      result += j <= present ? alphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return result;
}

std::optional<std::string> base64_decode(std::string_view text) {
  const auto padded_size = text.size();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  const auto padding = padded_size - text.size();
  if (padding != 0 && (padding > 2 || padded_size % 4 != 0)) return std::nullopt;
  std::string result;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      result += static_cast<char>(group >> bits & 0xff);
    }
  }
  // Six bits left over are half of a byte; other bits that are set would be lost.
  if (bits >= 6 || (group & ((1U << bits) - 1)) != 0) return std::nullopt;
  return result;
}

std::string hex(std::string_view data) {
  std::string result;
  result.reserve(data.size() * 2);
  for (const char c : data) result += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return result;
}

}  // namespace paas::text
