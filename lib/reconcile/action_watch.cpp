// Reads the newest actions of the account, among which are those that are waited for.
#include "reconcile/action_watch.hpp"

#include <algorithm>

namespace paas::reconcile {
namespace {

/// The account's other actions come in between.
constexpr int listed_for_each = 4;
constexpr int listed_min = 20;

}  // namespace

void ActionWatch::join(std::int64_t action) {
  const std::scoped_lock lock(mutex_);
  seen_[action] = {};
}

void ActionWatch::leave(std::int64_t action) {
  const std::scoped_lock lock(mutex_);
  seen_.erase(action);
}

Status ActionWatch::read_together() {
  const auto wanted = listed_for_each * static_cast<int>(seen_.size());
  PAAS_TRY(auto newest,
           client_.newest_actions(std::clamp(wanted, listed_min, digitalocean::page_size_max)));
  const auto now = clock_.monotonic();
  for (auto& action : newest) {
    const auto waited_for = seen_.find(action.id);
    if (waited_for != seen_.end()) waited_for->second = {now, std::move(action)};
  }
  return {};
}

Result<digitalocean::Action> ActionWatch::look(std::int64_t action) {
  const std::scoped_lock lock(mutex_);
  auto& seen = seen_[action];
  const auto is_fresh = [&] {
    return seen.action && clock_.monotonic() - seen.read_at < freshness_;
  };
  if (!is_fresh() && seen_.size() > 1) PAAS_CHECK(read_together());
  // Alone, or older than all that are listed.
  if (!is_fresh()) {
    PAAS_TRY(seen.action, client_.action(action));
    seen.read_at = clock_.monotonic();
  }
  return *seen.action;
}

}  // namespace paas::reconcile
