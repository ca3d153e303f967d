// Images, domains, projects, registry credentials, keys, and several droplets at once: requests and
// answers in the shapes of the API's document.
#include <doctest/doctest.h>

#include "digitalocean/support/fakes.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;
using testing::answer;
using testing::Fixture;

DropletRequest alike() {
  DropletRequest request;
  request.name = "not used";
  request.region = "nyc3";
  request.size = "s-1vcpu-1gb";
  request.image = "debian-12-x64";
  return request;
}

TEST_CASE("digitalocean: several droplets are created with one request") {
  Fixture f;
  f.http.expect("POST", "/v2/droplets", answer(202, R"({"droplets": [
      {"id": 3164444, "name": "sub-01.example.com", "status": "new", "networks": {}},
      {"id": 3164445, "name": "sub-02.example.com", "status": "new", "networks": {}}],
      "links": {"actions": [{"id": 7515, "rel": "create", "href": "https://x/v2/actions/7515"},
                            {"id": 7516, "rel": "create", "href": "https://x/v2/actions/7516"}]}})"));
  const auto droplets =
      f.client.create_droplets(alike(), {"sub-01.example.com", "sub-02.example.com"});
  REQUIRE(droplets);
  REQUIRE(droplets->size() == 2);
  CHECK(droplets->at(1).id == 3164445);
  CHECK(f.sent_body(0) == json::parse(R"({"names": ["sub-01.example.com", "sub-02.example.com"],
      "region": "nyc3", "size": "s-1vcpu-1gb", "image": "debian-12-x64"})"));
}

TEST_CASE(
    "digitalocean: an answer about fewer droplets is told as it is, one about others is not") {
  Fixture f;
  f.http.expect("POST", "/v2/droplets",
                answer(202, R"({"droplets": [{"id": 1, "name": "a", "status": "new"}]})"));
  f.http.expect("POST", "/v2/droplets",
                answer(202, R"({"droplets": [{"id": 1, "name": "c", "status": "new"}]})"));
  f.http.expect("POST", "/v2/droplets",
                answer(202, R"({"droplet": {"id": 1, "name": "a", "status": "new"}})"));
  f.http.expect("POST", "/v2/droplets", answer(202, R"({"droplets": [{"name": "a"}]})"));
  const auto fewer = f.client.create_droplets(alike(), {"a", "b"});
  REQUIRE(fewer);
  CHECK(fewer->size() == 1);
  for (const auto* why : {"another name", "no list", "no identifier"}) {
    CAPTURE(why);
    const auto droplets = f.client.create_droplets(alike(), {"a", "b"});
    REQUIRE_FALSE(droplets);
    CHECK(droplets.error().kind == ErrorKind::unreachable);
  }
  CHECK(f.client.create_droplets(alike(), {}).error().kind == ErrorKind::invalid);
  const std::vector<std::string> many(droplets_a_request_max + 1, "x");
  CHECK(f.client.create_droplets(alike(), many).error().kind == ErrorKind::invalid);
}

TEST_CASE("digitalocean: SSH keys are listed") {
  Fixture f;
  f.http.expect("GET", "/v2/account/keys?page=1&per_page=200",
                answer(200, R"({"ssh_keys": [{"id": 289794,
                  "fingerprint": "3b:16:e4:bf:8b:00:8b:b8:59:8c:a9:d3:f0:19:fa:45",
                  "public_key": "ssh-rsa ANOTHER anotherexample", "name": "Other Public Key"}],
                  "links": {}, "meta": {"total": 1}})"));
  const auto keys = f.client.ssh_keys();
  REQUIRE(keys);
  REQUIRE(keys->size() == 1);
  CHECK(keys->at(0).name == "Other Public Key");
}

TEST_CASE("digitalocean: the newest actions are one page and one request") {
  Fixture f;
  f.http.expect("GET", "/v2/actions?page=1&per_page=200",
                answer(200, R"({"actions": [{"id": 36804636, "status": "completed",
                  "type": "create", "started_at": "2020-11-14T16:29:21Z",
                  "completed_at": "2020-11-14T16:30:06Z", "resource_id": 3164444,
                  "resource_type": "droplet", "region": {}, "region_slug": "nyc3"}],
                  "links": {"pages": {"next": "https://x/v2/actions?page=2"}},
                  "meta": {"total": 159}})"));
  const auto actions = f.client.newest_actions(1000);
  REQUIRE(actions);
  REQUIRE(actions->size() == 1);
  CHECK(actions->at(0).status == "completed");
}

TEST_CASE("digitalocean: images are listed, read by slug, renamed and deleted") {
  Fixture f;
  const std::string image = R"({"id": 6918990, "name": "14.04 x64", "type": "snapshot",
      "distribution": "Ubuntu", "slug": "ubuntu-16-04-x64", "public": true,
      "regions": ["nyc1", "ams1"], "created_at": "2014-10-17T20:24:33Z", "min_disk_size": 20,
      "size_gigabytes": 2.34, "tags": [], "status": "available", "error_message": ""})";
  f.http.expect("GET", "/v2/images?private=true&page=1&per_page=200",
                answer(200, R"({"images": [)" + image + R"(], "meta": {"total": 1}})"));
  f.http.expect("GET", "/v2/images?type=distribution&page=1&per_page=200",
                answer(200, R"({"images": [], "meta": {"total": 0}})"));
  f.http.expect("GET", "/v2/images/ubuntu-16-04-x64", answer(200, R"({"image": )" + image + "}"));
  f.http.expect("PUT", "/v2/images/7938391",
                answer(200, R"({"image": {"id": 7938391, "name": "new-image-name", "slug": null,
                  "distribution": "Ubuntu", "public": false, "regions": ["nyc3", "nyc3"],
                  "created_at": "2014-11-14T16:44:03Z", "min_disk_size": 20, "size_gigabytes": 2.34,
                  "description": "", "tags": [], "status": "available", "error_message": ""}})"));
  f.http.expect("DELETE", "/v2/images/7938391", answer(204));
  f.http.expect("GET", "/v2/images/1", answer(200, R"({"image": {"name": "no identifier"}})"));
  const auto own = f.client.images(Client::Images::own);
  REQUIRE(own);
  CHECK(own->at(0).min_disk_gigabytes == 20);
  CHECK(own->at(0).regions == std::vector<std::string>{"nyc1", "ams1"});
  CHECK(f.client.images(Client::Images::distributions)->empty());
  const auto read = f.client.image("ubuntu-16-04-x64");
  REQUIRE(read);
  CHECK(read->id == 6918990);
  CHECK(read->is_public);
  const auto renamed = f.client.rename_image("7938391", "new-image-name");
  REQUIRE(renamed);
  CHECK(renamed->slug.empty());
  CHECK(f.sent_body(3) == json::parse(R"({"name": "new-image-name"})"));
  CHECK(f.client.delete_image("7938391"));
  CHECK(f.client.image("1").error().kind == ErrorKind::unreachable);
  CHECK(f.client.delete_image("").error().kind == ErrorKind::invalid);
}

TEST_CASE("digitalocean: a snapshot is read by its identifier") {
  Fixture f;
  f.http.expect("GET", "/v2/snapshots/6372321",
                answer(200, R"({"snapshot": {"id": "6372321", "name": "web-01-1595954862243",
                  "created_at": "2020-07-28T16:47:44Z", "regions": ["nyc3", "sfo3"],
                  "min_disk_size": 25, "size_gigabytes": 2.34, "resource_id": "200776916",
                  "resource_type": "droplet", "tags": ["web", "env:prod"]}})"));
  const auto snapshot = f.client.snapshot("6372321");
  REQUIRE(snapshot);
  CHECK(snapshot->tags == std::vector<std::string>{"web", "env:prod"});
}

TEST_CASE("digitalocean: domains are created, listed and deleted") {
  Fixture f;
  f.http.expect("POST", "/v2/domains", answer(201, R"({"domain": {"name": "example.com",
      "ttl": 1800, "zone_file": null}})"));
  f.http.expect("GET", "/v2/domains?page=1&per_page=200",
                answer(200, R"({"domains": [{"name": "example.com", "ttl": null,
                  "zone_file": "$ORIGIN example.com."}], "meta": {"total": 1}})"));
  f.http.expect("DELETE", "/v2/domains/example.com", answer(204));
  const auto made = f.client.create_domain("example.com");
  REQUIRE(made);
  CHECK(made->ttl_seconds == 1800);
  CHECK(f.sent_body(0) == json::parse(R"({"name": "example.com"})"));
  const auto all = f.client.domains();
  REQUIRE(all);
  CHECK_FALSE(all->at(0).ttl_seconds.has_value());
  CHECK(f.client.delete_domain("example.com"));
  CHECK(f.client.delete_domain("").error().kind == ErrorKind::invalid);
}

TEST_CASE("digitalocean: records are created, changed, listed and deleted") {
  Fixture f;
  const std::string record = R"({"id": 28448433, "type": "A", "name": "www",
      "data": "162.10.66.0", "priority": null, "port": null, "ttl": 1800, "weight": null,
      "flags": null, "tag": null})";
  f.http.expect("POST", "/v2/domains/example.com/records",
                answer(201, R"({"domain_record": )" + record + "}"));
  f.http.expect("PATCH", "/v2/domains/example.com/records/28448433",
                answer(200, R"({"domain_record": )" + record + "}"));
  f.http.expect("GET", "/v2/domains/example.com/records?page=1&per_page=200",
                answer(200, R"({"domain_records": [)" + record + R"(,
                  {"id": 2, "type": "SRV", "name": "_sip._tcp", "data": "sip", "priority": 10,
                   "port": 5060, "ttl": 60, "weight": 0, "flags": null, "tag": null}],
                  "links": {}, "meta": {"total": 2}})"));
  f.http.expect("DELETE", "/v2/domains/example.com/records/28448433", answer(204));
  DomainRecordSpec spec;
  spec.type = "A";
  spec.name = "www";
  spec.data = "162.10.66.0";
  spec.ttl_seconds = 1800;
  const auto made = f.client.create_domain_record("example.com", spec);
  REQUIRE(made);
  CHECK(made->spec == spec);
  CHECK(f.sent_body(0) == json::parse(R"({"type": "A", "name": "www", "data": "162.10.66.0",
                                          "ttl": 1800})"));
  REQUIRE(f.client.update_domain_record("example.com", 28448433,
                                        {"A", "blog", "", {}, {}, {}, {}, {}, ""}));
  CHECK(f.sent_body(1) == json::parse(R"({"type": "A", "name": "blog"})"));
  const auto all = f.client.domain_records("example.com");
  REQUIRE(all);
  CHECK(all->at(1).spec.port == 5060);
  CHECK(all->at(1).spec.weight == 0);
  CHECK_FALSE(all->at(1).spec.flags.has_value());
  CHECK(f.client.delete_domain_record("example.com", 28448433));
}

TEST_CASE("digitalocean: registry credentials expire, and are secret") {
  Fixture f;
  f.http.expect(
      "GET", "/v2/registry/docker-credentials?expiry_seconds=3600&read_write=false",
      answer(200, R"({"auths": {"registry.digitalocean.com": {"auth": "YjdkMDM6Yjdk"}}})"));
  f.http.expect("GET", "/v2/registry/docker-credentials?expiry_seconds=60&read_write=true",
                answer(200, R"({"auths": {"registry.digitalocean.com": {}}})"));
  f.http.expect("GET", "/v2/registry/docker-credentials?expiry_seconds=60&read_write=false",
                answer(200, R"({"auths": {}})"));
  const auto found =
      f.client.registry_credentials(std::chrono::hours(1), Client::RegistryAccess::read);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->at(0).host == "registry.digitalocean.com");
  CHECK(found->at(0).auth.reveal() == "YjdkMDM6Yjdk");
  const auto kind_of = [&](std::chrono::seconds lifetime, Client::RegistryAccess access) {
    return f.client.registry_credentials(lifetime, access).error().kind;
  };
  CHECK(kind_of(std::chrono::minutes(1), Client::RegistryAccess::read_write) ==
        ErrorKind::unreachable);
  CHECK(kind_of(std::chrono::minutes(1), Client::RegistryAccess::read) == ErrorKind::unreachable);
  CHECK(kind_of(std::chrono::seconds(0), Client::RegistryAccess::read) == ErrorKind::invalid);
}

TEST_CASE("digitalocean: resources are moved to a project, or it is said why not") {
  Fixture f;
  const std::string project = R"({"id": "addb4547-6bab-419a-8542-76263a033cf6",
      "owner_uuid": "99525febec065ca37b2ffe4f852fd2b2581895e7", "owner_id": 258992,
      "name": "Default", "purpose": "Just trying out DigitalOcean", "environment": "Development",
      "is_default": true, "created_at": "2017-10-19T21:44:20Z"})";
  f.http.expect("GET", "/v2/projects/default", answer(200, R"({"project": )" + project + "}"));
  f.http.expect("GET", "/v2/projects?page=1&per_page=200",
                answer(200, R"({"projects": [)" + project + R"(], "meta": {"total": 1}})"));
  const auto found = f.client.default_project();
  REQUIRE(found);
  CHECK(found->is_default);
  CHECK(f.client.projects()->size() == 1);
  const auto path = "/v2/projects/" + found->id + "/resources";
  const auto assigned = [](const std::string& status) {
    return answer(200, R"({"resources": [{"urn": "do:droplet:13457723",
        "assigned_at": "2018-09-28T19:26:37Z", "links": {"self": "https://x/v2/droplets/13457723"},
        "status": ")" + status +
                           R"("}]})");
  };
  f.http.expect("POST", path, assigned("ok"));
  f.http.expect("POST", path, assigned("already_assigned"));
  f.http.expect("POST", path, assigned("not_found"));
  f.http.expect("POST", path, assigned("service_down"));
  const auto assign = [&] {
    return f.client.assign_to_project(found->id, {"do:droplet:13457723"});
  };
  CHECK(assign());
  CHECK(f.sent_body(2) == json::parse(R"({"resources": ["do:droplet:13457723"]})"));
  CHECK(assign());
  CHECK(assign().error().kind == ErrorKind::not_found);
  CHECK(assign().error().kind == ErrorKind::unreachable);
  CHECK(f.client.assign_to_project(found->id, {}));
}

}  // namespace
}  // namespace paas::digitalocean
