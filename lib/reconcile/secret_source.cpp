// Reads variables and files.
#include "reconcile/secret_source.hpp"

#include <fmt/format.h>

namespace paas::reconcile {

std::string path_beside(const std::string& folder, const std::string& file) {
  return file.starts_with('/') ? file : folder + "/" + file;
}

Result<Secret> read_secret(const stack::SecretSource& source, Environment& environment,
                           Files& files, const std::string& folder) {
  if (!source.env.empty()) {
    auto value = environment.get(source.env);
    if (value && !value->empty()) return Secret(std::move(*value));
    return fail(
        ErrorKind::not_found,
        fmt::format("the environment variable {} is {}", source.env, value ? "empty" : "not set"),
        "set it where paasctl runs; the stack file only names it");
  }
  auto content = files.read(path_beside(folder, source.file));
  if (content) return Secret(std::move(*content));
  if (content.error().kind != ErrorKind::not_found) return fail(std::move(content.error()));
  return fail(ErrorKind::not_found, fmt::format("there is no file {}", source.file),
              "its path is relative to the stack file");
}

}  // namespace paas::reconcile
