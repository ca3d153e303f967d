// The limiter against windows that slide as the API's do, with many requests side by side.
#include "digitalocean/limiter.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <mutex>
#include <queue>
#include <random>
#include <thread>

#include "digitalocean/client.hpp"
#include "digitalocean/support/rate_server.hpp"

namespace paas::digitalocean::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Events in the order of their times; the clock jumps from one to the next.
class Simulation {
 public:
  explicit Simulation(unsigned seed) : random(seed) {}

  void at(milliseconds time, std::function<void()> what) {
    events_.push({time, ++number_, std::move(what)});
  }
  /// Runs until nothing is left to do, or until that time.
  void run(milliseconds end = hours(1000)) {
    while (!events_.empty() && events_.top().time <= end) {
      auto event = events_.top();
      events_.pop();
      clock.set(event.time);
      event.what();
    }
  }
  milliseconds between(int low, int high) {
    return milliseconds(std::uniform_int_distribution<int>(low, high)(random));
  }

  /// One after another until `left` is zero; a refused one is sent again.
  void work(Quota quota, int& left, int latency_ms) {
    if (left == 0) return;
    const auto now = clock.monotonic();
    const auto admission = limiter.admit(quota);
    if (const auto* pause = std::get_if<Limiter::Pause>(&admission)) {
      if (pause->length.count() <= 0) FAIL("a pause of nothing");
      at(now + pause->length, [=, this, &left] { work(quota, left, latency_ms); });
      return;
    }
    --left;
    const auto ticket = std::get<Limiter::Ticket>(admission);
    longest_gap = std::max(longest_gap, now - last_sent);
    last_sent = now;
    const auto arrival = now + between(1, latency_ms);
    at(arrival, [=, this, &left] {
      auto response = server.answer(quota, clock.monotonic());
      at(arrival + between(1, latency_ms), [=, this, &left] {
        if (response.status == 429) ++left;
        limiter.answered(ticket, response, milliseconds(response.status == 429 ? 500 : 0));
        work(quota, left, latency_ms);
      });
    });
  }
  void start(int workers, Quota quota, int& left, int latency_ms) {
    for (int i = 0; i < workers; ++i) {
      at(clock.monotonic() + milliseconds(i), [=, this, &left] { work(quota, left, latency_ms); });
    }
  }
  /// Another one with the same token, who asks at this distance.
  void another(milliseconds first, milliseconds distance, milliseconds end) {
    if (first >= end) return;
    at(first, [=, this] {
      server.take(clock.monotonic());
      another(first + distance, distance, end);
    });
  }

  SharedClock clock;
  Limiter limiter{clock};
  RateServer server;
  std::mt19937 random;
  milliseconds last_sent{0};
  milliseconds longest_gap{0};

 private:
  struct Event {
    milliseconds time;
    int number;
    std::function<void()> what;
    bool operator<(const Event& other) const {
      return std::pair(time, number) > std::pair(other.time, other.number);
    }
  };
  std::priority_queue<Event> events_;
  int number_ = 0;
};

TEST_CASE("digitalocean: alone with its token, no request of thousands is refused") {
  struct Row {
    int workers;
    int latency_ms;
    int requests;
  };
  for (const auto& row :
       {Row{1, 5, 5400}, Row{3, 400, 7000}, Row{16, 4000, 5400}, Row{64, 400, 5400}}) {
    CAPTURE(row.workers);
    CAPTURE(row.latency_ms);
    Simulation simulation(static_cast<unsigned>(row.workers));
    int left = row.requests;
    simulation.start(row.workers, Quota::general, left, row.latency_ms);
    simulation.run();
    CHECK(left == 0);
    CHECK(simulation.server.refused == 0);
    CHECK(simulation.server.accepted == row.requests);
    // What is left in the hour is spread: nobody ever stands still for most of it.
    CHECK(simulation.longest_gap < minutes(5));
  }
}

TEST_CASE("digitalocean: the limits are used, not only kept") {
  Simulation simulation(1);
  int left = 240;
  simulation.start(8, Quota::general, left, 40);
  simulation.run();
  CHECK(simulation.clock.monotonic() < seconds(10));
  left = 3750;
  simulation.start(8, Quota::general, left, 40);
  simulation.run();
  // 250 a minute, and the last few of each minute may wait for its end.
  CHECK(simulation.clock.monotonic() < minutes(18));
  left = 6000;
  simulation.start(8, Quota::general, left, 40);
  simulation.run();
  // 5,000 of these 10,000 are one hour's.
  CHECK(simulation.clock.monotonic() < minutes(130));
  CHECK(simulation.server.refused == 0);
}

TEST_CASE("digitalocean: lists of SSH keys have a limit of their own and hold up nothing else") {
  Simulation simulation(2);
  int lists = 45;
  int others = 200;
  simulation.start(4, Quota::key_list, lists, 300);
  simulation.start(4, Quota::general, others, 300);
  simulation.run(seconds(30));
  CHECK(others == 0);
  CHECK(lists == 35);
  simulation.run();
  CHECK(lists == 0);
  CHECK(simulation.server.refused == 0);
  CHECK(simulation.clock.monotonic() > minutes(4));
}

TEST_CASE("digitalocean: with others at the same token it recovers from being refused") {
  struct Row {
    milliseconds distance;  ///< The other's requests.
    int refused_max;
  };
  // 60 a minute, 150 a minute, and all that the hour has.
  for (const auto& row :
       {Row{milliseconds(1000), 60}, Row{milliseconds(400), 120}, Row{milliseconds(720), 120}}) {
    CAPTURE(row.distance.count());
    Simulation simulation(3);
    simulation.another(milliseconds(0), row.distance, hours(1));
    int left = 3000;
    simulation.start(10, Quota::general, left, 200);
    simulation.run();
    CHECK(left == 0);
    CHECK(simulation.server.accepted == 3000);
    CHECK(simulation.server.refused < row.refused_max);
    CHECK(simulation.clock.monotonic() < hours(3));
  }
}

TEST_CASE("digitalocean: after an hour that others have used up it goes on when requests expire") {
  Simulation simulation(4);
  // 4,990 requests of others, three a second, and then nothing more.
  for (int i = 0; i < 4990; ++i) simulation.server.take(milliseconds(i * 333));
  simulation.at(minutes(28), [] {});
  simulation.run();
  int left = 300;
  simulation.start(5, Quota::general, left, 100);
  simulation.run();
  CHECK(left == 0);
  CHECK(simulation.server.refused <= 1);
  CHECK(simulation.clock.monotonic() > hours(1));
  CHECK(simulation.clock.monotonic() < minutes(70));
}

TEST_CASE("digitalocean: a jump of the time of day changes nothing") {
  for (const bool sends_date : {true, false}) {
    for (const auto jump : {hours(30), -hours(30)}) {
      CAPTURE(sends_date);
      CAPTURE(jump.count());
      Simulation simulation(5);
      simulation.server.sends_date = sends_date;
      int left = 5300;
      simulation.start(6, Quota::general, left, 100);
      simulation.at(minutes(7), [&] { simulation.clock.jump(jump); });
      simulation.run();
      CHECK(left == 0);
      CHECK(simulation.server.refused == 0);
      CHECK(simulation.clock.monotonic() < minutes(100));
    }
  }
}

TEST_CASE("digitalocean: a token with more requests an hour may send more a minute") {
  Simulation simulation(6);
  simulation.server.hour_limit = 100'000'000;
  int left = 1;
  simulation.start(1, Quota::general, left, 5);
  simulation.run();
  int admitted = 0;
  while (std::holds_alternative<Limiter::Ticket>(simulation.limiter.admit(Quota::general))) {
    if (++admitted == 2000) break;
  }
  CHECK(admitted == 2000);
}

TEST_CASE("digitalocean: requests that never got an answer count all the same") {
  SharedClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 250; ++i) {
    const auto admission = limiter.admit(Quota::general);
    REQUIRE(std::holds_alternative<Limiter::Ticket>(admission));
    limiter.unanswered(std::get<Limiter::Ticket>(admission));
  }
  const auto admission = limiter.admit(Quota::general);
  REQUIRE(std::holds_alternative<Limiter::Pause>(admission));
  CHECK(std::get<Limiter::Pause>(admission).cause == Limiter::Cause::minute);
  CHECK(std::get<Limiter::Pause>(admission).length == seconds(61));
}

/// The server behind HTTP.
class RateHttp : public Http {
 public:
  RateHttp(RateServer& server, Clock& clock) : server_(server), clock_(clock) {}
  Result<HttpResponse> send(const HttpRequest&) override {
    const std::lock_guard lock(mutex_);
    (void)clock_.wait(milliseconds(3));
    return server_.answer(Quota::general, clock_.monotonic());
  }

 private:
  std::mutex mutex_;  ///< Requests reach the server in the order of their times.
  RateServer& server_;
  Clock& clock_;
};

TEST_CASE("digitalocean: threads share one limiter, and the user is told of waits once a minute") {
  SharedClock clock;
  RateServer server;
  RateHttp http(server, clock);
  int messages = 0;
  ClientSettings settings;
  settings.url = "http://127.0.0.1:4000";
  settings.token = Secret("dop_v1_test");
  settings.on_wait = [&](const std::string&) { ++messages; };
  Client client(http, clock, settings);
  std::atomic<int> succeeded{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 400; ++j) succeeded += client.account() ? 1 : 0;
      });
    }
  }
  CHECK(succeeded == 3200);
  CHECK(server.refused == 0);
  CHECK(messages > 0);
  CHECK(messages <= clock.monotonic() / minutes(1) + 1);
}

}  // namespace
}  // namespace paas::digitalocean::testing
