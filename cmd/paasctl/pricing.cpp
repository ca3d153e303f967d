// Reads the prices of droplet sizes and counts what a plan's droplets cost.
#include "pricing.hpp"

namespace paas::cli {

namespace {

Result<plan::Prices> prices_of(Session& session) {
  PAAS_TRY(auto* api, session.client());
  PAAS_TRY(const auto sizes, api->sizes());
  plan::Prices prices;
  for (const auto& size : sizes) prices[size.slug] = size.price_monthly_dollars;
  return prices;
}

}  // namespace

void add_cost(Session& session, const observe::Observed& observed, plan::Plan& plan) {
  plan.cost = plan::cost_of(session.lockfile, observed, plan, {});
  if (plan.cost->sizes.empty()) return;
  const auto prices = prices_of(session);
  if (prices) {
    plan.cost = plan::cost_of(session.lockfile, observed, plan, *prices);
  } else {
    plan.cost->unavailable = describe(prices.error());
  }
}

}  // namespace paas::cli
