// Whether servers with a new release serve as well as the others: HAProxy's own figures.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "haproxy/runtime.hpp"

namespace paas::haproxy {

class Canary {
 public:
  /// `canaries` are names of servers in the backend, `before` the statistics when the comparison
  /// begins: what they count until then is not compared.
  Canary(std::string backend, std::set<std::string> canaries,
         const std::vector<ServerStatistics>& before);

  /// What the figures say, for people: "412 answers, 0.2% with 5xx (others 0.1%), 12 ms (others 11
  /// ms)". Error (failed): the canaries are worse. That takes twenty of their answers and five
  /// times as large a share of 5xx, at least one in a hundred more; or, with twenty answers on both
  /// sides, more than twice and 50 ms more of the mean response time; or that HAProxy's check does
  /// not pass any more.
  Result<std::string> judge(const std::vector<ServerStatistics>& now) const;

 private:
  struct Figures {
    std::int64_t answers = 0;
    std::int64_t errors = 0;
    std::int64_t time_ms = 0;  ///< Summed over answers; a mean when divided by them.
  };
  Figures since(const std::vector<ServerStatistics>& now, bool of_canaries) const;

  std::string backend_;
  std::set<std::string> canaries_;
  std::vector<ServerStatistics> before_;
};

}  // namespace paas::haproxy
