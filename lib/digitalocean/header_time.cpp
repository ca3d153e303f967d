// Parses dates and waits out of an answer's headers.
#include "digitalocean/header_time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "base/text.hpp"
#include "digitalocean/errors.hpp"

namespace paas::digitalocean {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;

bool are_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "30", or "30.5", which is more than HTTP allows; rounded up to whole seconds.
std::optional<milliseconds> parse_seconds(std::string_view text) {
  const auto point = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, point);
  const auto fraction = text.substr(std::min(point + 1, text.size()));
  if (!are_digits(whole) || (point < text.size() && !are_digits(fraction))) return std::nullopt;
  // More digits than a number holds are more than an hour too.
  const auto count = text::to_integer(whole).value_or(wait_max / seconds(1));
  const bool has_more = fraction.find_first_not_of('0') != std::string_view::npos;
  return seconds(std::min<std::int64_t>(count, wait_max / seconds(1))) + seconds(has_more ? 1 : 0);
}

}  // namespace

std::optional<milliseconds> retry_after(const HttpResponse& response,
                                        system_clock::time_point now) {
  const auto text = header(response, "retry-after");
  if (const auto length = parse_seconds(text)) return std::min(*length, wait_max);
  const auto until = parse_http_date(text);
  if (!until) return std::nullopt;
  const auto date = parse_http_date(header(response, "date"));
  return std::clamp(std::chrono::ceil<milliseconds>(*until - date.value_or(now)), milliseconds(0),
                    date ? wait_max : wait_max_by_own_clock);
}

std::optional<std::chrono::system_clock::time_point> parse_http_date(const std::string& text) {
  constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 4> month{};
  unsigned day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int length = 0;
  const int read = std::sscanf(text.c_str(), "%*3c, %2u %3c %4d %2d:%2d:%2d GMT%n", &day,
                               month.data(), &year, &hour, &minute, &second, &length);
  if (read != 6 || length != static_cast<int>(text.size())) return std::nullopt;
  const auto* named = std::find_if(months.begin(), months.end(), [&](const char* name) {
    return month.data() == std::string(name);
  });
  if (named == months.end()) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year(year),
      std::chrono::month(static_cast<unsigned>(named - months.begin()) + 1), std::chrono::day(day)};
  // The clock's own type ends in the year 2262.
  const bool is_near = year >= 1970 && year <= 2200;
  if (!is_near || !date.ok() || hour > 23 || minute > 59 || second > 60 || hour < 0 || minute < 0 ||
      second < 0) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace paas::digitalocean
