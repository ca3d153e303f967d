// What a server prints when it is looked at.
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "observe/model.hpp"

namespace paas::observe {

/// Reads what look_script printed. Error (invalid): it is something else, or was cut short.
Result<Machine> read_look(std::string_view text, bool is_balancer);

}  // namespace paas::observe
