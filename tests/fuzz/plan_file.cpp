// Reads whatever may be a plan that was written to a file, and compares it with a world without it.
#include <string>

#include "fuzz/property.hpp"
#include "fuzz/targets.hpp"
#include "report/plan_file.hpp"

namespace paas::fuzz {

void plan_file(std::string_view input) {
  const bool looks_like_one = report::is_plan_file(input);
  const auto decoded = report::decode_plan_file(input, "stack.plan");
  if (!decoded) {
    demand(decoded.error().message.starts_with("stack.plan:"), "an error does not say where");
    return;
  }
  demand(looks_like_one, "what can be applied does not look like a plan");
  demand(decoded->serial >= 0, "a serial is negative");

  stack::Stack stack;
  stack.name = decoded->stack;
  lockfile::Lockfile lockfile;
  lockfile.lineage = decoded->lineage;
  lockfile.serial = decoded->serial;
  const report::Origin origin{"{}", lockfile::Key(std::string(32, 'k'))};
  demand(!report::check_basis(*decoded, stack, lockfile, origin),
         "an empty stack is the one of the plan");
  plan::Input world;
  world.stack = stack;
  world.lockfile = lockfile;
  const auto seen = report::plan_file_of(world, {}, origin).basis.observed;
  const auto same = report::check_same(*decoded, world, {}, origin);
  demand(same.has_value() == (decoded->steps.empty() && decoded->images.empty() &&
                              decoded->unreached.empty() && decoded->cloud_url.empty() &&
                              decoded->cloud_account.empty() && decoded->basis.observed == seen),
         "steps, images, a cloud or what is in it are the same as none");
}

}  // namespace paas::fuzz
