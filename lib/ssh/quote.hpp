// Quoting for a POSIX shell: the one place where an argument becomes shell text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace paas::ssh {

/// 'it'\''s': safe for any bytes except NUL.
std::string quote(std::string_view argument);
std::string quote_all(const std::vector<std::string>& arguments);

}  // namespace paas::ssh
