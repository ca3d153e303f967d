// Answers requests with the core, and lets a test lose or delay what it answers.
#include "reconcile/support/cloud_http.hpp"

#include <algorithm>
#include <deque>

#include "reconcile/support/cloud_request.hpp"

namespace paas::reconcile::testing {

/// Its effects end at once, and so do those that they bring.
cloud::Answer CloudHttp::answer(const cloud::Request& request) {
  cloud::Surroundings around;
  around.now = std::chrono::system_clock::time_point(std::chrono::hours(500'000));
  auto outcome = cloud::handle(state_, request, around);
  std::deque<cloud::Effect> open(outcome.effects.begin(), outcome.effects.end());
  while (!open.empty()) {
    auto completion = cloud::complete(state_, {open.front().id, "", 1000}, around);
    open.pop_front();
    open.insert(open.end(), completion.effects.begin(), completion.effects.end());
  }
  return outcome.answer;
}

void CloudHttp::note_look(const std::string& path) {
  if (!path.starts_with("/v2/droplets")) return;
  if (std::count(path.begin(), path.end(), '/') == 3) ++single_looks;
  if (looks_left_ > 0 && --looks_left_ == 0) (void)answer(destruction_);
}

Result<HttpResponse> CloudHttp::send(const HttpRequest& request) {
  const std::scoped_lock lock(mutex_);
  PAAS_CHECK(fuse_.check());
  const auto translated = cloud_request(request);
  if (request.method == "GET") note_look(translated.path);
  const bool is_late = looks_at_leaving > 0 && request.method == "DELETE" &&
                       translated.path.starts_with("/v2/droplets/");
  if (is_late) {
    destruction_ = translated;
    looks_left_ = looks_at_leaving;
  }
  const auto answered = is_late ? cloud::Answer{204, "", {}} : answer(translated);
  auto response = http_response(answered);
  if (request.method == "GET") {
    if (early_answers > 0 && translated.path.ends_with("/firewalls") &&
        translated.path.starts_with("/v2/droplets/")) {
      --early_answers;
      response.body = R"({"firewalls": [], "meta": {"total": 0}})";
    }
    return response;
  }
  const auto change = request.method + " " + translated.path;
  changes.push_back(change);
  PAAS_CHECK(fuse_.spend());
  if (change == cut_next) {
    cut_next.clear();
    return fail(ErrorKind::unreachable, "the connection was reset");
  }
  return response;
}

}  // namespace paas::reconcile::testing
