// The CSV of `show stat` (HAProxy's management guide, section 9.1).
#include <fmt/format.h>

#include <array>
#include <limits>
#include <map>
#include <optional>

#include "base/text.hpp"
#include "haproxy/runtime.hpp"

namespace paas::haproxy {

namespace {

tl::unexpected<Error> not_statistics(std::string_view why) {
  return fail(ErrorKind::invalid, fmt::format("HAProxy's statistics cannot be read: {}", why));
}

/// The fields of a line; quoted ones may hold commas and doubled quotes. Nothing when a quote is
/// never closed.
std::optional<std::vector<std::string>> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return fields;
}

/// Names of the columns that are read, in the order of Column.
enum class Column {
  backend,
  server,
  type,
  status,
  check_status,
  weight,
  current_sessions,
  total_sessions,
  queue,
  request_rate,
  responses_2xx,
  responses_3xx,
  responses_4xx,
  errors_5xx,
  response_time,
  address,
  count,
};
constexpr std::array<std::string_view, static_cast<std::size_t>(Column::count)> column_names = {
    "pxname", "svname", "type",     "status",   "check_status", "weight",   "scur",  "stot",
    "qcur",   "rate",   "hrsp_2xx", "hrsp_3xx", "hrsp_4xx",     "hrsp_5xx", "rtime", "addr"};

/// A line with its fields by column.
class Row {
 public:
  using Positions = std::array<std::size_t, column_names.size()>;

  Row(const Positions& positions, std::vector<std::string> fields)
      : positions_(positions), fields_(std::move(fields)) {}

  const std::string& text(Column column) const {
    return fields_[positions_[static_cast<std::size_t>(column)]];
  }

  /// Zero where HAProxy leaves the field empty. What is no count is remembered for
  /// is_well_formed().
  std::int64_t number(Column column) {
    const auto& field = text(column);
    if (field.empty()) return 0;
    const auto value = text::to_integer(field);
    if (!value || *value < 0) well_formed_ = false;
    return value.value_or(0);
  }

  bool is_well_formed() const { return well_formed_; }

 private:
  const Positions& positions_;
  std::vector<std::string> fields_;
  bool well_formed_ = true;
};

Result<Row::Positions> positions_in(const std::vector<std::string>& header) {
  Row::Positions positions{};
  for (std::size_t column = 0; column < column_names.size(); ++column) {
    std::size_t at = 0;
    while (at < header.size() && header[at] != column_names[column]) ++at;
    if (at == header.size()) {
      return not_statistics(fmt::format("there is no column '{}'", column_names[column]));
    }
    positions[column] = at;
  }
  return positions;
}

ServerStatistics read(Row& row) {
  ServerStatistics result;
  result.backend = row.text(Column::backend);
  result.server = row.text(Column::server);
  result.status = row.text(Column::status);
  result.check_status = row.text(Column::check_status);
  // "* L7OK": the last result, while the next check is running.
  if (result.check_status.starts_with("* ")) result.check_status.erase(0, 2);
  // "INI" is HAProxy's word for a check that has not run yet.
  if (result.check_status == "INI") result.check_status.clear();
  result.weight = row.number(Column::weight);
  result.current_sessions = row.number(Column::current_sessions);
  result.total_sessions = row.number(Column::total_sessions);
  result.queue = row.number(Column::queue);
  result.request_rate = row.number(Column::request_rate);
  result.errors_5xx = row.number(Column::errors_5xx);
  result.responses = row.number(Column::responses_2xx) + row.number(Column::responses_3xx) +
                     row.number(Column::responses_4xx) + result.errors_5xx;
  result.response_time_ms = row.number(Column::response_time);
  result.address = row.text(Column::address);
  return result;
}

}  // namespace

Result<std::vector<ServerStatistics>> parse_statistics(std::string_view csv) {
  constexpr std::string_view mark = "# ";
  constexpr std::string_view server_type = "2";
  const auto lines = text::lines(csv);
  if (lines.empty() || !lines[0].starts_with(mark)) return not_statistics("the header is missing");
  const auto header = fields_of(std::string_view(lines[0]).substr(mark.size()));
  if (!header) return not_statistics("the header is garbled");
  PAAS_TRY(const auto positions, positions_in(*header));

  std::vector<ServerStatistics> result;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      if (i + 1 == lines.size()) break;
      return not_statistics(fmt::format("line {} is behind their end", i + 2));
    }
    auto fields = fields_of(lines[i]);
    if (!fields || fields->size() != header->size()) {
      return not_statistics(fmt::format("line {} is cut short or garbled", i + 1));
    }
    Row row(positions, std::move(*fields));
    if (row.text(Column::type) != server_type) continue;
    result.push_back(read(row));
    if (!row.is_well_formed()) {
      return not_statistics(fmt::format("line {} has a count that is no number", i + 1));
    }
  }
  // An answer ends with an empty line, also that of a HAProxy without any proxy, as Debian installs
  // it. What was cut between two lines does not.
  if (!csv.ends_with("\n\n")) return not_statistics("they end too early");
  return result;
}

}  // namespace paas::haproxy
