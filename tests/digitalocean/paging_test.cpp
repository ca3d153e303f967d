// Whole lists out of pages, also when they shift, and never a short one.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <set>

#include "digitalocean/support/fakes.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;
using testing::answer;
using testing::Fixture;

std::string target(int page) { return fmt::format("/v2/firewalls?page={}&per_page=200", page); }

enum class More { yes, no };

/// A page with the firewalls numbered `first` to `last`.
HttpResponse page(int first, int last, int total, More more) {
  json items = json::array();
  for (int i = first; i <= last; ++i)
    items.push_back({{"id", fmt::format("fw-{}", i)}, {"name", "f"}});
  json body = {{"firewalls", items}, {"links", json::object()}, {"meta", {{"total", total}}}};
  // The address is one that must not be followed.
  if (more == More::yes) body["links"]["pages"]["next"] = "http://evil.example/v2/firewalls?page=2";
  return answer(200, body.dump());
}

std::set<std::string> identifiers(const std::vector<Firewall>& firewalls) {
  std::set<std::string> result;
  for (const auto& firewall : firewalls) result.insert(firewall.id);
  return result;
}

TEST_CASE("digitalocean: 450 items are read in three pages and no other host is asked") {
  Fixture f;
  for (int walk = 0; walk < 2; ++walk) {
    f.http.expect("GET", target(1), page(1, 200, 450, More::yes));
    f.http.expect("GET", target(2), page(201, 400, 450, More::yes));
    f.http.expect("GET", target(3), page(401, 450, 450, More::no));
  }
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 450);
  CHECK(all->front().id == "fw-1");
  CHECK(all->back().id == "fw-450");
  for (const auto& request : f.http.requests) CHECK(request.url.find("evil") == std::string::npos);
}

TEST_CASE("digitalocean: numbers beyond all that the API has are no reason to break down") {
  Fixture listing;
  json body = {{"firewalls", {{{"id", "fw-1"}, {"name", "f"}}}},
               {"links", {{"pages", {{"next", "?page=2"}}}}},
               {"meta", {{"total", std::numeric_limits<std::int64_t>::max()}}}};
  listing.http.expect("GET", target(1), answer(200, body.dump()));
  const auto all = listing.client.firewalls();
  REQUIRE_FALSE(all);
  CHECK(all.error().kind == ErrorKind::limited);
  Fixture f;
  f.http.expect("GET", "/v2/droplets/7",
                answer(200, R"({"droplet": {"id": 18446744073709551615, "name": "web-1"}})"));
  const auto droplet = f.client.droplet(7);
  REQUIRE_FALSE(droplet);
  CHECK(droplet.error().message.find("a droplet without id") != std::string::npos);
}

/// A page with the droplets numbered `first` to `last`.
HttpResponse droplet_page(int first, int last, int total, More more) {
  json items = json::array();
  for (int i = first; i <= last; ++i) {
    items.push_back({{"id", i}, {"name", fmt::format("web-{}", i)}, {"status", "active"}});
  }
  json body = {{"droplets", items}, {"links", json::object()}, {"meta", {{"total", total}}}};
  if (more == More::yes) body["links"]["pages"]["next"] = "http://127.0.0.1:4000/?page=2";
  return answer(200, body.dump());
}

std::string tagged(int page) {
  return fmt::format("/v2/droplets?tag_name=paas&page={}&per_page=200", page);
}

TEST_CASE("digitalocean: a quick list of several pages is walked once when they fit together") {
  Fixture f;
  f.http.expect("GET", tagged(1), droplet_page(1, 200, 250, More::yes));
  f.http.expect("GET", tagged(2), droplet_page(201, 250, 250, More::no));
  const auto all = f.client.droplets_by_tag("paas", Client::Reading::quick);
  REQUIRE(all);
  REQUIRE(all->size() == 250);
  CHECK(all->front().id == 1);
  CHECK(all->back().name == "web-250");
  CHECK(f.clock.waits.empty());
}

TEST_CASE("digitalocean: a quick list whose pages do not fit together is walked again") {
  Fixture f;
  f.http.expect("GET", tagged(1), droplet_page(1, 200, 250, More::yes));
  f.http.expect("GET", tagged(2), droplet_page(202, 250, 249, More::no));
  f.http.expect("GET", tagged(1), droplet_page(1, 200, 249, More::yes));
  f.http.expect("GET", tagged(2), droplet_page(201, 249, 249, More::no));
  const auto all = f.client.droplets_by_tag("paas", Client::Reading::quick);
  REQUIRE(all);
  CHECK(all->size() == 249);
}

TEST_CASE("digitalocean: a glance takes what it finds, also of a list that grows meanwhile") {
  Fixture f;
  f.http.expect("GET", tagged(1), droplet_page(1, 200, 250, More::yes));
  f.http.expect("GET", tagged(2), droplet_page(201, 260, 260, More::no));
  const auto all = f.client.droplets_by_tag("paas", Client::Reading::glance);
  REQUIRE(all);
  CHECK(all->size() == 260);
  CHECK(f.clock.waits.empty());
}

TEST_CASE("case 12: an item that moved to the next page is not read twice") {
  Fixture f;
  // Something was put in front between the two reads: fw-200 is on both pages.
  f.http.expect("GET", target(1), page(1, 200, 250, More::yes));
  f.http.expect("GET", target(2), page(200, 250, 251, More::no));
  for (int walk = 0; walk < 2; ++walk) {
    f.http.expect("GET", target(1), page(0, 199, 251, More::yes));
    f.http.expect("GET", target(2), page(200, 250, 251, More::no));
  }
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 251);
  CHECK(identifiers(*all).size() == 251);
}

TEST_CASE("digitalocean: a list that shrank while it was read is read again") {
  Fixture f;
  // fw-1 was removed between the pages: fw-201 slipped to the first page and was seen on none.
  f.http.expect("GET", target(1), page(1, 200, 250, More::yes));
  f.http.expect("GET", target(2), page(202, 250, 249, More::no));
  for (int walk = 0; walk < 2; ++walk) {
    f.http.expect("GET", target(1), page(2, 201, 249, More::yes));
    f.http.expect("GET", target(2), page(202, 250, 249, More::no));
  }
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 249);
  CHECK(identifiers(*all).count("fw-201") == 1);
}

TEST_CASE("case 12: an item that was missed while one went and one came is found") {
  Fixture f;
  // fw-1 was removed and fw-251 added between the pages: fw-201 was seen on none, and the total and
  // the number of items are right nevertheless.
  f.http.expect("GET", target(1), page(1, 200, 250, More::yes));
  f.http.expect("GET", target(2), page(202, 251, 250, More::no));
  for (int walk = 0; walk < 2; ++walk) {
    f.http.expect("GET", target(1), page(2, 201, 250, More::yes));
    f.http.expect("GET", target(2), page(202, 251, 250, More::no));
  }
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 250);
  CHECK(identifiers(*all).count("fw-201") == 1);
  CHECK(identifiers(*all).count("fw-1") == 0);
}

TEST_CASE("digitalocean: several pages that never stand still are unknown and not short") {
  Fixture f;
  for (int walk = 0; walk < 5; ++walk) {
    f.http.expect("GET", target(1), page(1 + walk, 200 + walk, 250, More::yes));
    f.http.expect("GET", target(2), page(201 + walk, 250 + walk, 250, More::no));
  }
  const auto all = f.client.firewalls();
  REQUIRE_FALSE(all);
  CHECK(all.error().kind == ErrorKind::unreachable);
}

TEST_CASE("digitalocean: a list that grew past its last page is read to its end") {
  Fixture f;
  f.http.expect("GET", target(1), page(1, 200, 400, More::yes));
  f.http.expect("GET", target(2), page(201, 400, 401, More::yes));
  f.http.expect("GET", target(3), page(401, 401, 401, More::no));
  f.http.expect("GET", target(1), page(1, 200, 401, More::yes));
  f.http.expect("GET", target(2), page(201, 400, 401, More::yes));
  f.http.expect("GET", target(3), page(401, 401, 401, More::no));
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 401);
}

TEST_CASE("digitalocean: a total that counts more than is shown is believed on the second look") {
  Fixture f;
  f.http.expect("GET", target(1), page(1, 3, 4, More::no));
  f.http.expect("GET", target(1), page(1, 3, 4, More::no));
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 3);
}

TEST_CASE("digitalocean: a list that never stands still is unknown and not short") {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.http.expect("GET", target(1), page(1, 3 + i, 100, More::no));
  const auto all = f.client.firewalls();
  REQUIRE_FALSE(all);
  CHECK(all.error().kind == ErrorKind::unreachable);
}

TEST_CASE("digitalocean: a later page that fails fails the list") {
  Fixture f;
  f.http.expect("GET", target(1), page(1, 200, 250, More::yes));
  f.http.expect("GET", target(2), answer(403, R"({"id": "forbidden", "message": "no"})"));
  const auto all = f.client.firewalls();
  REQUIRE_FALSE(all);
  CHECK(all.error().kind == ErrorKind::unauthorised);
}

TEST_CASE("digitalocean: without a total the pages are followed one by one") {
  Fixture f;
  for (int walk = 0; walk < 2; ++walk) {
    f.http.expect("GET", target(1), answer(200, R"({"firewalls": [{"id": "a", "name": "f"}],
                                "links": {"pages": {"next": "x"}}})"));
    f.http.expect("GET", target(2), answer(200, R"({"firewalls": [{"id": "b", "name": "f"}]})"));
  }
  const auto all = f.client.firewalls();
  REQUIRE(all);
  CHECK(all->size() == 2);
}

/// Answers every request with the same page.
class RepeatingHttp : public Http {
 public:
  explicit RepeatingHttp(HttpResponse page) : page_(std::move(page)) {}
  Result<HttpResponse> send(const HttpRequest&) override {
    ++requests;
    return page_;
  }
  std::atomic<int> requests{0};

 private:
  HttpResponse page_;
};

TEST_CASE("digitalocean: a list that gives one page again and again is given up soon") {
  const auto without_total = answer(200, R"({"firewalls": [{"id": "a", "name": "f"}],
                                             "links": {"pages": {"next": "x"}}})");
  const auto empty = answer(200, R"({"firewalls": [], "links": {"pages": {"next": "x"}}})");
  for (const auto& repeated : {page(1, 200, 100'000, More::yes), without_total, empty}) {
    RepeatingHttp http(repeated);
    testing::VirtualClock clock;
    Client client(http, clock, {"http://127.0.0.1:4000", Secret("dop_v1_test"), {}, {}, {}});
    const auto all = client.firewalls();
    REQUIRE_FALSE(all);
    CHECK(all.error().kind == ErrorKind::unreachable);
    CHECK(all.error().message.find("the same page") != std::string::npos);
    // Five walks, of which each may have eight pages on their way when it notices.
    CHECK(http.requests <= 5 * 9);
  }
}

/// Holds the pages behind the first until as many of them are under way as are awaited, at most 30
/// s, and then a moment for one more, which must not come.
class HoldingHttp : public Http {
 public:
  HoldingHttp(int pages, int awaited) : pages_(pages), awaited_(awaited) {}

  Result<HttpResponse> send(const HttpRequest& request) override {
    int number = 1;
    while (number < pages_ && testing::ScriptedHttp::target_of(request) != target(number)) ++number;
    const auto answered = page(number * 200 - 199, number * 200, pages_ * 200,
                               number < pages_ ? More::yes : More::no);
    std::unique_lock lock(mutex_);
    if (number == 1) return answered;
    ++under_way_;
    most_ = std::max(most_, under_way_);
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(30),
                      [&] { return most_ >= awaited_ || is_over_; });
    changed_.wait_for(lock, std::chrono::milliseconds(100),
                      [&] { return most_ > awaited_ || is_over_; });
    is_over_ = true;
    --under_way_;
    return answered;
  }

  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  const int pages_;
  const int awaited_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int under_way_ = 0;
  int most_ = 0;
  bool is_over_ = false;
};

TEST_CASE("digitalocean: pages behind the first are under way together, eight at most") {
  struct Row {
    int pages;
    int together;
  };
  for (const auto& row : {Row{5, 4}, Row{9, 8}, Row{40, 8}}) {
    CAPTURE(row.pages);
    HoldingHttp http(row.pages, row.together);
    testing::VirtualClock clock;
    Client client(http, clock, {"http://127.0.0.1:4000", Secret("dop_v1_test"), {}, {}, {}});
    const auto all = client.firewalls();
    REQUIRE(all);
    CHECK(all->size() == static_cast<std::size_t>(row.pages) * 200);
    CHECK(http.most() == row.together);
  }
}

TEST_CASE("digitalocean: an answer without its list, or an item without identity, is unknown") {
  Fixture f;
  f.http.expect("GET", target(1), answer(200, R"({"links": {}})"));
  f.http.expect("GET", target(1), answer(200, R"({"firewalls": null})"));
  f.http.expect("GET", target(1), answer(200, R"({"firewalls": [{"name": "f"}]})"));
  for (int i = 0; i < 3; ++i) {
    const auto all = f.client.firewalls();
    REQUIRE_FALSE(all);
    CHECK(all.error().kind == ErrorKind::unreachable);
  }
}

}  // namespace
}  // namespace paas::digitalocean
