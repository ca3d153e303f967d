// What a load balancer's own program prints of its certificates.
#pragma once

#include <string>
#include <string_view>

#include "observe/model.hpp"

namespace paas::observe {

/// Reads what `show` of certificate_script prints into `balancer`; what follows "---
/// configuration".
std::string read_certificates(std::string_view text, Balancer& balancer);

}  // namespace paas::observe
