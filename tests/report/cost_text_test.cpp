// What a stack costs, in words.
#include "report/cost_text.hpp"

#include <doctest/doctest.h>

namespace paas::report {
namespace {

plan::MonthlyCost some_cost() {
  plan::MonthlyCost cost;
  cost.sizes = {{"s-1vcpu-1gb", 3, 4, 6.0}};
  return cost;
}

TEST_CASE("report: the cost is told before and after") {
  auto cost = some_cost();
  CHECK(cost_text(cost) == "Cost a month: droplets $18.00 before, $24.00 after (+$6.00).\n");
  cost.sizes[0].after = 2;
  CHECK(cost_text(cost) == "Cost a month: droplets $18.00 before, $12.00 after (-$6.00).\n");
  cost.sizes[0].after = 3;
  CHECK(cost_text(cost) == "Cost a month: droplets $18.00 before, $18.00 after.\n");
}

TEST_CASE("report: what has no price in the API is named") {
  auto cost = some_cost();
  cost.unpriced = {10, 10, 1, 1, 2.406};
  CHECK(cost_text(cost) ==
        "Cost a month: droplets $18.00 before, $24.00 after (+$6.00).\n"
        "  Billed besides, without a price in the API: volumes of 10 GiB; reserved IPs: 1; machine "
        "images of 2.41 GB.\n");
  cost.unpriced = {10, 0, 1, 0, 0};
  CHECK(
      cost_text(cost) ==
      "Cost a month: droplets $18.00 before, $24.00 after (+$6.00).\n"
      "  Billed besides, without a price in the API: volumes of 10 GiB, then 0 GiB; reserved IPs: "
      "1, then 0.\n");
}

TEST_CASE("report: an unknown price is told as unknown, and a list that could not be read why") {
  auto cost = some_cost();
  cost.sizes.push_back({"gpu-h100x1-80gb", 0, 1, std::nullopt});
  CHECK(cost_text(cost) ==
        "Cost a month: droplets $18.00 before, unknown after.\n"
        "  The API has no price for gpu-h100x1-80gb.\n");
  cost.sizes[0].dollars.reset();
  cost.unavailable = "listing droplet sizes: the API answered 503";
  CHECK(cost_text(cost) ==
        "Cost a month: droplets unknown before, unknown after.\n"
        "  The prices could not be read: listing droplet sizes: the API answered 503.\n");
}

TEST_CASE("report: what is counted and the lockfile does not know is named") {
  auto cost = some_cost();
  cost.unknown = {"shop-web-9", "shop-web-builder-12345678"};
  CHECK(
      cost_text(cost) ==
      "Cost a month: droplets $18.00 before, $24.00 after (+$6.00).\n"
      "  Counted although the lockfile does not know it: shop-web-9, shop-web-builder-12345678.\n");
}

TEST_CASE("report: nothing is said where nothing is billed") { CHECK(cost_text({}) == ""); }

}  // namespace
}  // namespace paas::report
