// Says what droplets cost, and what is billed besides and has no price in the API.
#include "report/cost_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/text.hpp"

namespace paas::report {

namespace {

std::string dollars(const std::optional<double>& amount) {
  return amount ? fmt::format("${:.2f}", *amount) : "unknown";
}

std::string difference(const std::optional<double>& before, const std::optional<double>& after) {
  if (!before || !after) return "";
  const auto cents = std::llround((*after - *before) * 100);
  if (cents == 0) return "";
  return fmt::format(" ({}${:.2f})", cents < 0 ? "-" : "+",
                     std::abs(static_cast<double>(cents)) / 100);
}

/// "volumes of 10 GiB", or "volumes of 10 GiB, then 20 GiB".
std::string amount(const std::string& what, int before, int after, const std::string& unit) {
  if (before == after) return fmt::format("{} {}{}", what, after, unit);
  return fmt::format("{} {}{}, then {}{}", what, before, unit, after, unit);
}

std::vector<std::string> unpriced_parts(const plan::Unpriced& unpriced) {
  std::vector<std::string> parts;
  if (unpriced.volumes_before_gigabytes > 0 || unpriced.volumes_after_gigabytes > 0) {
    parts.push_back(amount("volumes of", unpriced.volumes_before_gigabytes,
                           unpriced.volumes_after_gigabytes, " GiB"));
  }
  if (unpriced.addresses_before > 0 || unpriced.addresses_after > 0) {
    parts.push_back(
        amount("reserved IPs:", unpriced.addresses_before, unpriced.addresses_after, ""));
  }
  if (unpriced.machine_images_gigabytes > 0) {
    parts.push_back(fmt::format("machine images of {:.2f} GB", unpriced.machine_images_gigabytes));
  }
  return parts;
}

std::string unknown_sizes(const plan::MonthlyCost& cost) {
  std::vector<std::string> sizes;
  for (const auto& size : cost.sizes) {
    if (!size.dollars) sizes.push_back(size.size);
  }
  return text::join(sizes, ", ");
}

}  // namespace

std::string cost_text(const plan::MonthlyCost& cost) {
  const auto parts = unpriced_parts(cost.unpriced);
  if (cost.sizes.empty() && parts.empty()) return "";
  const auto before = plan::dollars_before(cost);
  const auto after = plan::dollars_after(cost);
  auto text = fmt::format("Cost a month: droplets {} before, {} after{}.\n", dollars(before),
                          dollars(after), difference(before, after));
  if (!cost.unavailable.empty()) {
    text += fmt::format("  The prices could not be read: {}.\n", cost.unavailable);
  } else if (const auto unknown = unknown_sizes(cost); !unknown.empty()) {
    text += fmt::format("  The API has no price for {}.\n", unknown);
  }
  if (!cost.unknown.empty()) {
    text += fmt::format("  Counted although the lockfile does not know it: {}.\n",
                        text::join(cost.unknown, ", "));
  }
  if (!parts.empty()) {
    text +=
        fmt::format("  Billed besides, without a price in the API: {}.\n", text::join(parts, "; "));
  }
  return text;
}

}  // namespace paas::report
