// Answers /v2/actions.
#include "base/text.hpp"
#include "cloud/action_list.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

Result<Reply> list(Turn& turn, const Call& call) {
  return actions_reply(turn.state, call, [](const Action&) { return true; });
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto found = turn.state.actions.find(text::to_integer(call.arguments[0]).value_or(0));
  if (found == turn.state.actions.end()) return not_found();
  return Reply{200, {{"action", view::action(found->second)}}};
}

}  // namespace

std::vector<ApiRoute> action_routes() {
  return {{"GET", "/v2/actions", list}, {"GET", "/v2/actions/{}", get}};
}

}  // namespace paas::cloud
