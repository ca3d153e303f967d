// Secrets that the stack file names and this machine has.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"
#include "stack/model.hpp"

namespace paas::reconcile {

/// Where a file of the stack file lies; `folder` is the stack file's.
std::string path_beside(const std::string& folder, const std::string& file);

/// The secret as it is there. Errors: not_found (the variable is not set or empty, or there is no
/// such file), failed (the file cannot be read).
Result<Secret> read_secret(const stack::SecretSource& source, Environment& environment,
                           Files& files, const std::string& folder);

}  // namespace paas::reconcile
