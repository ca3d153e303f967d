// Tells a stack's own things from those of others by their tags.
#include "lockfile/ownership.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lockfile/names.hpp"

namespace paas::lockfile {

bool belongs(const std::vector<std::string>& tags, const std::string& stack, Intent intent) {
  const auto own = stack_tag(stack);
  const auto any = [&](const std::string& prefix) {
    return std::any_of(tags.begin(), tags.end(),
                       [&](const std::string& tag) { return tag.starts_with(prefix); });
  };
  if (std::find(tags.begin(), tags.end(), own) != tags.end() || any(own + ":")) return true;
  return intent == Intent::written && !any(stack_tag(""));
}

tl::unexpected<Error> foreign(const std::string& what, const std::string& stack) {
  return fail(ErrorKind::exists,
              fmt::format("{} exists already, and this lockfile did not make it", what),
              fmt::format("rename the stack or the service, or remove what is there if nobody "
                          "needs it; if stack {} is up with another lockfile, use that one",
                          stack));
}

tl::unexpected<Error> foreign_volume(const std::string& name, const std::vector<std::string>& tags,
                                     const std::string& stack) {
  auto error = foreign("volume " + name, stack);
  if (!belongs(tags, stack, Intent::written)) return error;
  error.value().hint = fmt::format(
      "if it has this stack's data, give it the tag {0}, and `paasctl state rebuild` finds it "
      "(`doctl compute tag apply {0} --resource=do:volume:ID`); else rename the stack or the "
      "service",
      stack_tag(stack));
  return error;
}

}  // namespace paas::lockfile
