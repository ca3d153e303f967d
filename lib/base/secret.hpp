// A text that must not be shown: it prints as ***.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace paas {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  /// The text itself, for the one place that has to send or store it.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret& left, const Secret& right) = default;

 private:
  std::string value_;
};

}  // namespace paas

template <>
struct fmt::formatter<paas::Secret> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const paas::Secret&, Context& context) const {
    return fmt::formatter<std::string_view>::format("***", context);
  }
};
