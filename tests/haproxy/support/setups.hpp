// Setups that several tests start from.
#pragma once

#include "haproxy/model.hpp"

namespace paas::haproxy::test {

/// The stack of the design page: two web services, rules by host and by path.
inline Setup zipkick() {
  Setup setup;
  setup.stack = "zipkick";
  setup.listen = {80};
  setup.private_address = "10.1.0.2";
  setup.rules = {
      {"api.example.com", "", "backend"}, {"", "/api/", "backend"}, {"", "", "frontend"}};
  setup.backends = {
      {"frontend",
       "/healthz",
       2000,
       2000,
       20001,
       {{"zipkick-frontend-1.r1", "10.1.0.3", 20010},
        {"zipkick-frontend-2.r1", "10.1.0.4", 20010}}},
      {"backend", "/", 5000, 1000, 20002, {{"zipkick-backend-1.r4", "10.1.0.5", 20021}}},
  };
  return setup;
}

}  // namespace paas::haproxy::test
