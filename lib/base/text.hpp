// Small operations on text: splitting, joining, nearest names, sizes and durations for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paas::text {

std::vector<std::string> split(std::string_view text, char separator);
/// The lines without their ends; a last empty line is left out.
std::vector<std::string> lines(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

/// A whole decimal number and nothing else.
std::optional<std::int64_t> to_integer(std::string_view text);

/// How deep a JSON text nests lists and objects, at its deepest. What is nested without bounds
/// would overflow the stack of whoever walks it.
std::size_t nesting(std::string_view json);

/// "1.5 MB": decimal units, one digit after the point from kB on.
std::string bytes(std::uint64_t count);
/// "12.3s", "2m05s": how long something took.
std::string duration(std::chrono::milliseconds value);
/// RFC 3339 in UTC with seconds: "2026-01-31T08:15:00Z".
std::string timestamp(std::chrono::system_clock::time_point value);

/// Edits of single bytes from one to the other; two neighbours swapped are one edit (the "optimal
/// string alignment" distance).
std::size_t edit_distance(std::string_view left, std::string_view right);
/// The candidate that is near enough to be what was meant, if there is one.
std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates);

std::string base64_encode(std::string_view data);
/// Nothing for what is not base64; padding may be left out, but not be wrong.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex(std::string_view data);

}  // namespace paas::text
