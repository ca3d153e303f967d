// A plan that was shown and is to be applied as it was shown, as a file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "plan/make.hpp"
#include "report/plan_basis.hpp"

namespace paas::report {

/// A step as it was shown.
struct ShownStep {
  std::string id;
  std::string description;
  std::string reason;  ///< "drift"
  std::string cause;
  std::vector<std::string> after;
};

/// What a plan was made from, and its steps as far as they say what is done. It holds no secret:
/// what it was made from is there as digests under the lineage's key, and steps name variables
/// without their values.
struct PlanFile {
  std::string stack;        ///< Its name.
  std::string lineage;      ///< The lockfile's; empty: there was none yet.
  std::int64_t serial = 0;  ///< The lockfile's.
  Basis basis;
  std::string cloud_url;  ///< The endpoint and the account that were looked at.
  std::string cloud_account;
  std::map<std::string, std::string>
      images;  ///< References by name: they tell build contexts apart.
  std::vector<ShownStep> steps;
  std::vector<std::string> unreached;
};

PlanFile plan_file_of(const plan::Input& input, const plan::Plan& plan, const Origin& origin);

/// The text of a plan file: a JSON object with the plan as plan_json() prints it.
std::string encode_plan_file(const plan::Input& input, const plan::Plan& plan,
                             const Origin& origin);

/// Error (invalid) with the place of what is wrong: "plan.json:3:7" for text that is not JSON,
/// "plan.json: /serial" for a member that is missing or of another type, and for a plan file of a
/// later format.
Result<PlanFile> decode_plan_file(std::string_view text, const std::string& file_name);

/// Whether the text is a plan file, of any format: only such a file may be written over.
bool is_plan_file(std::string_view text);

/// Error (failed) when the plan was made for another lockfile, for an older or newer state of it or
/// for another stack file: nothing has to be asked over a network to know that.
Status check_basis(const PlanFile& file, const stack::Stack& stack,
                   const lockfile::Lockfile& lockfile, const Origin& origin);

/// Error (failed), with the steps that differ and the parts of the world that are not as they were,
/// when what would be done now, or what it would be done to, is not what was shown. Causes count as
/// well, because they tell what was found; only why an image is built does not: that depends on
/// which images a machine built before.
Status check_same(const PlanFile& file, const plan::Input& input, const plan::Plan& plan,
                  const Origin& origin);

}  // namespace paas::report
