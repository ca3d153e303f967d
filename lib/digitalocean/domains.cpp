// Operations on domains and their records.
#include <fmt/format.h>

#include "digitalocean/client.hpp"
#include "digitalocean/encode.hpp"
#include "digitalocean/operations.hpp"

namespace paas::digitalocean {
namespace {

std::string domain_path(const std::string& domain) { return "/v2/domains/" + escaped(domain); }

std::string record_path(const std::string& domain, std::int64_t id) {
  return fmt::format("{}/records/{}", domain_path(domain), id);
}

}  // namespace

Result<std::vector<Domain>> Client::domains() {
  return doing(list_of(*transport_, {"/v2/domains", "", "domains", "name"}, decode_domain),
               "listing domains");
}

Result<Domain> Client::create_domain(const std::string& name) {
  const Call call{"POST", "/v2/domains", {{"name", name}}};
  return doing(send_for(*transport_, call, "domain", decode_domain), "creating domain " + name);
}

Status Client::delete_domain(const std::string& name) {
  PAAS_CHECK(check_given(name, "domain"));
  return doing(send_deletion(*transport_, domain_path(name)), "deleting domain " + name);
}

Result<std::vector<DomainRecord>> Client::domain_records(const std::string& domain) {
  PAAS_CHECK(check_given(domain, "domain"));
  return doing(list_of(*transport_, {domain_path(domain) + "/records", "", "domain_records", "id"},
                       decode_domain_record),
               "listing the records of " + domain);
}

Result<DomainRecord> Client::create_domain_record(const std::string& domain,
                                                  const DomainRecordSpec& spec) {
  PAAS_CHECK(check_given(domain, "domain"));
  const Call call{"POST", domain_path(domain) + "/records", encode_domain_record(spec)};
  return doing(send_for(*transport_, call, "domain_record", decode_domain_record),
               fmt::format("creating record {} {} of {}", spec.type, spec.name, domain));
}

Result<DomainRecord> Client::update_domain_record(const std::string& domain, std::int64_t id,
                                                  const DomainRecordSpec& spec) {
  PAAS_CHECK(check_given(domain, "domain"));
  const Call call{"PATCH", record_path(domain, id), encode_domain_record(spec)};
  return doing(send_for(*transport_, call, "domain_record", decode_domain_record),
               fmt::format("changing record {} of {}", id, domain));
}

Status Client::delete_domain_record(const std::string& domain, std::int64_t id) {
  PAAS_CHECK(check_given(domain, "domain"));
  return doing(send_deletion(*transport_, record_path(domain, id)),
               fmt::format("deleting record {} of {}", id, domain));
}

}  // namespace paas::digitalocean
