// Answers /v2/domains with their records. The local cloud keeps them and serves no DNS.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "cloud/ip_range.hpp"
#include "cloud/routes.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_name_length = 253;
constexpr std::size_t max_label_length = 63;
constexpr std::int64_t lowest_ttl = 30;
constexpr std::int64_t highest_port = 65'535;

bool is_label(const std::string& label) {
  return !label.empty() && label.size() <= max_label_length && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](unsigned char letter) {
           return std::isalnum(letter) != 0 || letter == '-';
         });
}

bool is_domain_name(const std::string& name) {
  const auto labels = text::split(name, '.');
  return labels.size() > 1 && name.size() <= max_name_length &&
         std::all_of(labels.begin(), labels.end(), is_label);
}

Domain* find_domain(State& state, const std::string& name) {
  const auto found = state.domains.find(name);
  return found == state.domains.end() ? nullptr : &found->second;
}

DomainRecord* find_record(Domain& domain, const std::string& identifier) {
  const auto id = text::to_integer(identifier).value_or(0);
  const auto found = std::find_if(domain.records.begin(), domain.records.end(),
                                  [&](const DomainRecord& record) { return record.id == id; });
  return found == domain.records.end() ? nullptr : &*found;
}

Json number_or_null(std::int64_t number) { return number < 0 ? Json() : Json(number); }

Json view_of(const DomainRecord& record) {
  return {{"id", record.id},
          {"type", record.type},
          {"name", record.name},
          {"data", record.data},
          {"priority", number_or_null(record.priority)},
          {"port", number_or_null(record.port)},
          {"ttl", record.ttl},
          {"weight", number_or_null(record.weight)},
          {"flags", number_or_null(record.flags)},
          {"tag", record.tag.empty() ? Json() : Json(record.tag)}};
}

/// The records as a name server's zone file has them, after RFC 1035, section 5.
std::string zone_file(const Domain& domain) {
  auto zone = fmt::format("$ORIGIN {}.\n$TTL {}\n", domain.name, domain.ttl);
  for (const auto& record : domain.records) {
    std::string numbers;
    for (const auto number : {record.priority, record.weight, record.port, record.flags}) {
      if (number >= 0) numbers += fmt::format("{} ", number);
    }
    if (!record.tag.empty()) numbers += record.tag + " ";
    const auto name =
        record.name == "@" ? domain.name + "." : fmt::format("{}.{}.", record.name, domain.name);
    zone += fmt::format("{} {} IN {} {}{}\n", name, record.ttl, record.type, numbers, record.data);
  }
  return zone;
}

Json view_of(const Domain& domain) {
  return {{"name", domain.name}, {"ttl", domain.ttl}, {"zone_file", zone_file(domain)}};
}

/// A host that a record leads to: the domain itself, or a whole name with its last dot.
Status check_host(const DomainRecord& record) {
  if (record.data == "@") return {};
  if (record.data.back() != '.') return invalid("Data needs to end with a dot (.)");
  const auto labels = text::split(record.data.substr(0, record.data.size() - 1), '.');
  if (std::all_of(labels.begin(), labels.end(), is_label)) return {};
  return invalid("Data is not a valid hostname");
}

Status check_number(const char* name, std::int64_t number, std::int64_t highest) {
  if (number < 0) return invalid(fmt::format("{} can't be blank", name));
  return number <= highest ? Status{}
                           : invalid(fmt::format("{} must be at most {}", name, highest));
}

Status check_type(const DomainRecord& record) {
  const auto& type = record.type;
  if (type == "A") {
    return parse_ipv4(record.data) ? Status{} : invalid("IP address did not match IPv4 format");
  }
  if (type == "AAAA") {
    return record.data.find(':') != std::string::npos
               ? Status{}
               : invalid("IP address did not match IPv6 format");
  }
  if (type == "CNAME" || type == "NS") return check_host(record);
  if (type == "MX" || type == "SRV") {
    PAAS_CHECK(check_number("Priority", record.priority, highest_port));
    if (type == "SRV") {
      PAAS_CHECK(check_number("Port", record.port, highest_port));
      PAAS_CHECK(check_number("Weight", record.weight, highest_port));
    }
    return check_host(record);
  }
  if (type == "CAA") {
    PAAS_CHECK(check_number("Flags", record.flags, 255));
    const bool known = record.tag == "issue" || record.tag == "issuewild" || record.tag == "iodef";
    return known ? Status{} : invalid("Tag must be issue, issuewild or iodef");
  }
  if (type == "TXT") return {};
  return invalid("Type is not included in the list");
}

/// A CNAME stands for all that there is of a name, so nothing may stand beside it.
Status check_alone(const Domain& domain, const DomainRecord& record) {
  for (const auto& other : domain.records) {
    if (other.id == record.id || other.name != record.name) continue;
    if (other.type == "CNAME" || record.type == "CNAME") {
      return invalid("CNAME records cannot share a name with other records");
    }
  }
  return {};
}

Status check_record(const Domain& domain, const DomainRecord& record) {
  if (record.name.empty()) return invalid("Name can't be blank");
  if (record.data.empty()) return invalid("Data can't be blank");
  if (record.ttl < lowest_ttl) {
    return invalid(fmt::format("TTL must be greater than or equal to {}", lowest_ttl));
  }
  PAAS_CHECK(check_type(record));
  return check_alone(domain, record);
}

Status read_number(const Json& body, const char* name, std::int64_t& number) {
  PAAS_TRY(const auto given, number_field(body, name));
  if (given && *given < 0) return invalid(fmt::format("{} must not be negative", name));
  number = given.value_or(number);
  return {};
}

/// What the body gives, on top of what the record has.
Result<DomainRecord> read_record(const Json& body, DomainRecord record) {
  PAAS_TRY(const auto type, text_field(body, "type"));
  PAAS_TRY(const auto name, text_field(body, "name"));
  PAAS_TRY(const auto data, text_field(body, "data"));
  PAAS_TRY(const auto tag, text_field(body, "tag"));
  record.type = type.value_or(record.type);
  record.name = name.value_or(record.name);
  record.data = data.value_or(record.data);
  record.tag = tag.value_or(record.tag);
  PAAS_CHECK(read_number(body, "ttl", record.ttl));
  PAAS_CHECK(read_number(body, "priority", record.priority));
  PAAS_CHECK(read_number(body, "port", record.port));
  PAAS_CHECK(read_number(body, "weight", record.weight));
  PAAS_CHECK(read_number(body, "flags", record.flags));
  return record;
}

void add_record(State& state, Domain& domain, const std::string& type, const std::string& data) {
  DomainRecord record;
  record.id = state.next_id++;
  record.type = type;
  record.name.assign(1, '@');
  record.data = data;
  domain.records.push_back(std::move(record));
}

Result<Reply> list(Turn& turn, const Call& call) {
  return list_reply(call, "domains", select(turn.state.domains, [](const Domain&) { return true; }),
                    [](const Domain& domain) { return view_of(domain); });
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(const auto given, text_field(call.body, "name"));
  PAAS_TRY(const auto address, text_field(call.body, "ip_address"));
  const auto name = text::lower(given.value_or(""));
  if (!is_domain_name(name)) return invalid("Name is not a valid domain name");
  if (find_domain(turn.state, name) != nullptr) return invalid("Name already exists");
  const bool has_address = address && !address->empty();
  if (has_address && !parse_ipv4(*address)) return invalid("IP address did not match IPv4 format");
  Domain domain;
  domain.name = name;
  add_record(turn.state, domain, "SOA", std::to_string(domain.ttl));
  for (int number = 1; number <= 3; ++number) {
    add_record(turn.state, domain, "NS", fmt::format("ns{}.digitalocean.com", number));
  }
  if (has_address) add_record(turn.state, domain, "A", *address);
  turn.state.domains[name] = std::move(domain);
  // The zone is made after the answer, so that neither of these is known yet.
  return Reply{201, {{"domain", {{"name", name}, {"ttl", nullptr}, {"zone_file", nullptr}}}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* domain = find_domain(turn.state, call.arguments[0]);
  if (domain == nullptr) return not_found();
  return Reply{200, {{"domain", view_of(*domain)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  if (turn.state.domains.erase(call.arguments[0]) == 0) return not_found();
  return Reply{204, {}};
}

Result<Reply> list_records(Turn& turn, const Call& call) {
  const auto* domain = find_domain(turn.state, call.arguments[0]);
  if (domain == nullptr) return not_found();
  const auto name = call.query("name");
  const auto type = call.query("type");
  std::vector<const DomainRecord*> records;
  for (const auto& record : domain->records) {
    const auto full =
        record.name == "@" ? domain->name : fmt::format("{}.{}", record.name, domain->name);
    const bool asked_for = (name.empty() || name == full) && (type.empty() || type == record.type);
    if (asked_for) records.push_back(&record);
  }
  return list_reply(call, "domain_records", records,
                    [](const DomainRecord& record) { return view_of(record); });
}

Result<Reply> create_record(Turn& turn, const Call& call) {
  auto* domain = find_domain(turn.state, call.arguments[0]);
  if (domain == nullptr) return not_found();
  PAAS_TRY(auto record, read_record(call.body, {}));
  PAAS_CHECK(check_record(*domain, record));
  record.id = turn.state.next_id++;
  const auto view = view_of(record);
  domain->records.push_back(std::move(record));
  return Reply{201, {{"domain_record", view}}};
}

Result<Reply> get_record(Turn& turn, const Call& call) {
  auto* domain = find_domain(turn.state, call.arguments[0]);
  const auto* record = domain == nullptr ? nullptr : find_record(*domain, call.arguments[1]);
  if (record == nullptr) return not_found();
  return Reply{200, {{"domain_record", view_of(*record)}}};
}

Result<Reply> update_record(Turn& turn, const Call& call) {
  auto* domain = find_domain(turn.state, call.arguments[0]);
  auto* record = domain == nullptr ? nullptr : find_record(*domain, call.arguments[1]);
  if (record == nullptr) return not_found();
  PAAS_TRY(auto changed, read_record(call.body, *record));
  if (changed.type != record->type) return invalid("Type cannot be changed");
  // The zone's own record has nothing but its time to live.
  if (record->type != "SOA") PAAS_CHECK(check_record(*domain, changed));
  *record = std::move(changed);
  return Reply{200, {{"domain_record", view_of(*record)}}};
}

Result<Reply> remove_record(Turn& turn, const Call& call) {
  auto* domain = find_domain(turn.state, call.arguments[0]);
  const auto* record = domain == nullptr ? nullptr : find_record(*domain, call.arguments[1]);
  if (record == nullptr) return not_found();
  if (record->type == "SOA") return invalid("SOA records cannot be deleted");
  std::erase_if(domain->records,
                [id = record->id](const DomainRecord& each) { return each.id == id; });
  return Reply{204, {}};
}

}  // namespace

std::vector<ApiRoute> domain_routes() {
  return {{"GET", "/v2/domains", list},
          {"POST", "/v2/domains", create},
          {"GET", "/v2/domains/{}", get},
          {"DELETE", "/v2/domains/{}", remove},
          {"GET", "/v2/domains/{}/records", list_records},
          {"POST", "/v2/domains/{}/records", create_record},
          {"GET", "/v2/domains/{}/records/{}", get_record},
          {"PUT", "/v2/domains/{}/records/{}", update_record},
          {"PATCH", "/v2/domains/{}/records/{}", update_record},
          {"DELETE", "/v2/domains/{}/records/{}", remove_record}};
}

}  // namespace paas::cloud
