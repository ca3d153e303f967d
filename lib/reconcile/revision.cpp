// Asks git.
#include "reconcile/revision.hpp"

#include "base/text.hpp"

namespace paas::reconcile {

namespace {

constexpr std::string_view dirty_mark = "-dirty";

std::optional<std::string> ask_git(Processes& processes, const std::string& folder,
                                   std::initializer_list<const char*> arguments) {
  ProcessRequest request;
  request.arguments = {"git", "-C", folder};
  request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
  // `status` would refresh the index, which somebody else may be writing.
  request.environment = {"GIT_OPTIONAL_LOCKS=0"};
  request.timeout = std::chrono::seconds(30);
  const auto result = processes.run(request);
  if (!result || result->exit_status != 0) return std::nullopt;
  return std::string(text::trim(result->output));
}

}  // namespace

std::optional<std::string> revision_of(Processes& processes, const std::string& folder) {
  const auto commit = ask_git(processes, folder, {"rev-parse", "--verify", "--quiet", "HEAD"});
  if (!commit || commit->empty()) return std::nullopt;
  const auto changes = ask_git(processes, folder, {"status", "--porcelain", "--", "."});
  if (!changes) return std::nullopt;
  return changes->empty() ? *commit : *commit + std::string(dirty_mark);
}

std::string short_revision(const std::string& revision) {
  const bool dirty = revision.ends_with(dirty_mark);
  return revision.substr(0, 12) + (dirty ? std::string(dirty_mark) : "");
}

}  // namespace paas::reconcile
