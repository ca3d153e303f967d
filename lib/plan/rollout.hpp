// How servers change from one release to another.
#pragma once

namespace paas::plan {

enum class Strategy {
  rolling,    ///< A batch of servers after the other, when all new containers are healthy.
  bluegreen,  ///< All servers at the same moment, when all new containers are healthy.
  canary,     ///< A share of the traffic first, which is watched; then as rolling.
  immediate,  ///< Each server as soon as its new container is healthy.
};

/// How servers that have a container get a new one.
struct Rollout {
  Strategy strategy = Strategy::rolling;
  int max_unavailable = 0;  ///< Servers a batch; 0: a quarter of them, one at least.
  int canary_percent = 10;  ///< Of the traffic, from 1 to 50.
};

}  // namespace paas::plan
