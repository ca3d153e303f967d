// JSON documents as YAML, for --output yaml.
#pragma once

#include <string>
#include <string_view>

namespace paas::report {

/// The same document in YAML's block style, keys in the same order. Texts that YAML would read as
/// something else (yes, 1.0, null) are quoted. What is not JSON comes back as it is.
std::string to_yaml(std::string_view json);

}  // namespace paas::report
