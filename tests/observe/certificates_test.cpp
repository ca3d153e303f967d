// What the program on a load balancer prints of its certificates, read back.
#include "observe/certificates.hpp"

#include <doctest/doctest.h>

namespace paas::observe {
namespace {

TEST_CASE(
    "observe: certificates, the list and what is shown are read, and the configuration after") {
  Balancer balancer;
  const auto configuration = read_certificates(
      "--- certificate default.pem 00aa\n"
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
      "--- certificate host.a.test.pem 00bb 0F0F\n"
      "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
      "--- list\n/f/default.pem\n/f/host.a.test.pem [] a.test\n"
      "--- shown\n/f/default.pem\n"
      "--- configuration\nglobal\n--- list\n",
      balancer);
  CHECK(configuration == "global\n--- list\n");
  REQUIRE(balancer.certificates.size() == 2);
  CHECK(balancer.certificates.at("default").digest == "00aa");
  CHECK(balancer.certificates.at("default").shown.empty());
  const auto& host = balancer.certificates.at("host.a.test");
  CHECK(host.digest == "00bb");
  CHECK(host.shown == "0F0F");
  CHECK(host.text == "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n");
  CHECK(balancer.listed_certificates ==
        std::vector<std::string>{"/f/default.pem", "/f/host.a.test.pem [] a.test"});
  CHECK(balancer.shown_certificates == std::vector<std::string>{"/f/default.pem"});
}

TEST_CASE("observe: a load balancer without https has its configuration alone") {
  Balancer balancer;
  CHECK(read_certificates("--- configuration\nglobal\n", balancer) == "global\n");
  CHECK(balancer.certificates.empty());
  CHECK(balancer.listed_certificates.empty());
}

TEST_CASE("observe: a text that was cut off is no configuration") {
  for (const auto* text :
       {"", "--- certificate", "--- list\n/f/default.pem\n", "--- configuration"}) {
    Balancer balancer;
    CHECK(read_certificates(text, balancer).empty());
  }
}

}  // namespace
}  // namespace paas::observe
