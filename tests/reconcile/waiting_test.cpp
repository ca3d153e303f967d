// What many steps wait for at the same time costs few requests.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "reconcile/action_watch.hpp"
#include "reconcile/shared_list.hpp"

namespace paas::reconcile {
namespace {

using std::chrono::milliseconds;

class ManualClock : public Clock {
 public:
  std::chrono::system_clock::time_point now() override { return {}; }
  milliseconds monotonic() override { return time; }
  Status wait(milliseconds duration) override {
    time += duration;
    return {};
  }
  milliseconds time{1000};
};

/// Actions by their identifiers, the newest first as the API lists them.
class ActionsHttp : public Http {
 public:
  Result<HttpResponse> send(const HttpRequest& request) override {
    targets.push_back(request.url.substr(std::string("http://127.0.0.1").size()));
    const auto& target = targets.back();
    if (!target.starts_with("/v2/actions?")) {
      const auto id = std::stoll(target.substr(std::string("/v2/actions/").size()));
      return HttpResponse{200, {}, nlohmann::json{{"action", view(id)}}.dump()};
    }
    auto list = nlohmann::json::array();
    const auto count = std::stoull(target.substr(target.rfind('=') + 1));
    for (auto entry = actions.rbegin(); entry != actions.rend(); ++entry) {
      if (list.size() < count) list.push_back(view(entry->first));
    }
    return HttpResponse{200, {}, nlohmann::json{{"actions", list}}.dump()};
  }
  nlohmann::json view(std::int64_t id) const {
    return {{"id", id}, {"status", actions.at(id)}, {"type", "attach"}, {"resource_id", 1}};
  }

  std::map<std::int64_t, std::string> actions;
  std::vector<std::string> targets;
};

struct Watched {
  Watched() {
    for (int id = 1; id <= 1000; ++id) http.actions[id] = "in-progress";
  }
  digitalocean::ClientSettings settings() {
    digitalocean::ClientSettings made;
    made.url = "http://127.0.0.1";
    made.token = Secret("dop_v1_test");
    return made;
  }
  std::string status_of(std::int64_t action) {
    const auto found = watch.look(action);
    return found ? found->status : describe(found.error());
  }

  ManualClock clock;
  ActionsHttp http;
  digitalocean::Client client{http, clock, settings()};
  ActionWatch watch{client, clock, milliseconds(500)};
};

TEST_CASE("reconcile: actions that are waited for side by side are read with one request") {
  Watched f;
  for (int id = 991; id <= 1000; ++id) f.watch.join(id);
  for (int look = 0; look < 5; ++look) {
    if (look == 4) f.http.actions[995] = "completed";
    for (int id = 991; id <= 1000; ++id) {
      CHECK(f.status_of(id) == (look == 4 && id == 995 ? "completed" : "in-progress"));
    }
    (void)f.clock.wait(milliseconds(500));
  }
  CHECK(f.http.targets == std::vector<std::string>(5, "/v2/actions?page=1&per_page=40"));
}

TEST_CASE("reconcile: one action alone, and one too old for the list, are asked for themselves") {
  Watched f;
  f.watch.join(1000);
  CHECK(f.status_of(1000) == "in-progress");
  CHECK(f.http.targets == std::vector<std::string>{"/v2/actions/1000"});
  f.watch.join(3);
  (void)f.clock.wait(milliseconds(500));
  f.http.actions[3] = "errored";
  CHECK(f.status_of(3) == "errored");
  CHECK(f.status_of(1000) == "in-progress");
  CHECK(f.http.targets == std::vector<std::string>{"/v2/actions/1000",
                                                   "/v2/actions?page=1&per_page=20",
                                                   "/v2/actions/3"});
  f.watch.leave(3);
  (void)f.clock.wait(milliseconds(500));
  CHECK(f.status_of(1000) == "in-progress");
  CHECK(f.http.targets.back() == "/v2/actions/1000");
}

TEST_CASE("reconcile: a list is read once for all that look, but anew for what came after it") {
  ManualClock clock;
  int reads = 0;
  std::size_t length = 3;
  SharedList<int> list(clock, milliseconds(500), [&]() -> Result<std::vector<int>> {
    return std::vector<int>(length, ++reads);
  });
  const auto read = [&](std::uint64_t after) { return (*list.items(after))->front(); };
  CHECK(read(0) == 1);
  CHECK(read(0) == 1);
  const auto mark = list.mark();
  CHECK(read(mark) == 2);
  CHECK(read(mark) == 2);
  CHECK(read(0) == 2);
  (void)clock.wait(milliseconds(500));
  CHECK(read(0) == 3);
  // A list of two pages takes two requests and serves as much longer.
  length = 300;
  (void)clock.wait(milliseconds(500));
  CHECK(read(0) == 4);
  (void)clock.wait(milliseconds(999));
  CHECK(read(0) == 4);
  (void)clock.wait(milliseconds(1));
  CHECK(list.latest()->front() == 4);
  CHECK(read(0) == 5);
}

TEST_CASE("reconcile: a list that cannot be read is an error and leaves nothing behind") {
  ManualClock clock;
  bool fails = true;
  SharedList<int> list(clock, milliseconds(500), [&]() -> Result<std::vector<int>> {
    if (fails) return fail(ErrorKind::unreachable, "no answer");
    return std::vector<int>{7};
  });
  CHECK(list.items().error().kind == ErrorKind::unreachable);
  fails = false;
  const auto items = list.items();
  REQUIRE(items);
  CHECK((*items)->front() == 7);
}

}  // namespace
}  // namespace paas::reconcile
