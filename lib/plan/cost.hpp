// What a stack costs a month, before and after a plan.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lockfile/model.hpp"
#include "observe/model.hpp"

namespace paas::plan {

struct Plan;

/// In US dollars a month, by the slug of a droplet's size: `price_monthly` of GET /v2/sizes.
using Prices = std::map<std::string, double>;

/// Droplets of one size.
struct SizeCost {
  std::string size;
  int before = 0;                 ///< How many there are.
  int after = 0;                  ///< How many there will be.
  std::optional<double> dollars;  ///< Of each; absent: its price is unknown.
};

/// What is billed and has no price in the API.
struct Unpriced {
  int volumes_before_gigabytes = 0;  ///< In GiB, as DigitalOcean counts them.
  int volumes_after_gigabytes = 0;
  int addresses_before = 0;  ///< Reserved IPs.
  int addresses_after = 0;
  double machine_images_gigabytes = 0;  ///< Snapshots; no plan makes or removes one.
};

struct MonthlyCost {
  std::vector<SizeCost> sizes;  ///< By slug; those that are neither there nor will be are left out.
  Unpriced unpriced;
  /// Droplets and volumes that are counted and that the lockfile does not know, by name: those that
  /// carry the stack's tag, and builders that an interrupted run left.
  std::vector<std::string> unknown;
  std::string unavailable;  ///< Why no price is known at all; empty: they were read.
};

/// The sum in dollars; nothing when the price of a size that counts is unknown.
std::optional<double> dollars_before(const MonthlyCost& cost);
std::optional<double> dollars_after(const MonthlyCost& cost);

/// Counts the stack's droplets that exist and those that will when the plan is done, also what the
/// lockfile does not know and no plan takes away. Builders that were left go before a plan is
/// carried out. A droplet that is powered off is billed like others. `before` is the lockfile that
/// was planned from.
MonthlyCost cost_of(const lockfile::Lockfile& before, const observe::Observed& observed,
                    const Plan& plan, const Prices& prices);

/// Whether another number of droplets, volumes or addresses is billed afterwards.
bool changes(const MonthlyCost& cost);

}  // namespace paas::plan
