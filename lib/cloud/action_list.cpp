// Lists actions.
#include "cloud/action_list.hpp"

#include <algorithm>

#include "cloud/views.hpp"

namespace paas::cloud {

Result<Reply> actions_reply(const State& state, const Call& call,
                            const std::function<bool(const Action&)>& test) {
  auto actions = select(state.actions, test);
  std::reverse(actions.begin(), actions.end());
  return list_reply(call, "actions", actions, view::action);
}

}  // namespace paas::cloud
