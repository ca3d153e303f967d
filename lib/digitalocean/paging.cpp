// Reads the first page, then the others side by side, and checks that they fit together.
#include "digitalocean/paging.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "digitalocean/reader.hpp"

namespace paas::digitalocean {
namespace {

using nlohmann::json;

constexpr int per_page = page_size_max;
constexpr int pages_max = 1000;
constexpr int side_by_side_max = 8;
constexpr int walks_max = 5;
constexpr std::chrono::milliseconds between_walks{250};

struct Item {
  std::string identity;
  std::shared_ptr<void> value;
};

struct Page {
  std::vector<Item> items;
  bool has_next = false;
  std::optional<std::int64_t> total;
};

struct Walk {
  std::vector<std::shared_ptr<void>> items;  ///< In the order of the pages, each once.
  std::set<std::string> identities;
  bool agrees = true;    ///< The pages fit together, as far as one walk can tell.
  bool repeats = false;  ///< It was given up at a page that had been read before.
  int pages = 1;
};

/// Notices when an API gives one page again and again, before that has cost a thousand requests.
class Beginnings {
 public:
  void add(const Page& page) {
    const std::lock_guard lock(mutex_);
    const bool is_new =
        page.items.empty() ? !page.has_next : firsts_.insert(page.items.front().identity).second;
    if (!is_new) repeats_ = true;
  }
  /// Whether two pages began with the same item, or an empty one was not the last.
  bool repeats() const { return repeats_; }

 private:
  std::mutex mutex_;
  std::set<std::string> firsts_;
  std::atomic<bool> repeats_{false};
};

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool names_next(const json& body) {
  const auto* links = member(body, "links");
  const auto* pages = links == nullptr ? nullptr : member(*links, "pages");
  // Only its presence counts: the address itself may name another host and is never followed.
  const auto* next = pages == nullptr ? nullptr : member(*pages, "next");
  return next != nullptr && next->is_string() && !next->get_ref<const std::string&>().empty();
}

Result<Item> read_item(const json& item, const Listing& listing, const DecodeItem& decode) {
  const auto* identity = member(item, listing.identity.c_str());
  if (identity == nullptr || identity->is_structured()) {
    return fail(ErrorKind::unreachable, fmt::format("an item of the API's list \"{}\" has no {}",
                                                    listing.key, listing.identity));
  }
  PAAS_TRY(auto value, decode(item));
  return Item{identity->dump(-1, ' ', false, json::error_handler_t::replace), std::move(value)};
}

Result<Page> read_page(Transport& transport, const Listing& listing, const DecodeItem& decode,
                       int number) {
  const auto path = fmt::format("{}?{}{}page={}&per_page={}", listing.path, listing.query,
                                listing.query.empty() ? "" : "&", number, per_page);
  PAAS_TRY(const auto body, transport.send({"GET", path, {}}));
  const auto* list = member(body, listing.key.c_str());
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorKind::unreachable,
                fmt::format("the API's answer has no list \"{}\"", listing.key));
  }
  Page page;
  page.items.reserve(list->size());
  for (const auto& each : *list) {
    PAAS_TRY(auto item, read_item(each, listing, decode));
    page.items.push_back(std::move(item));
  }
  page.has_next = names_next(body);
  const auto* meta = member(body, "meta");
  const auto* total = meta == nullptr ? nullptr : member(*meta, "total");
  if (total != nullptr && is_integer(*total)) page.total = total->get<std::int64_t>();
  return page;
}

/// Pages `first` to `last`, several at a time; the first error of any of them. When they repeat,
/// not all of them are read.
Result<std::vector<Page>> read_pages(Transport& transport, const Listing& listing,
                                     const DecodeItem& decode, int first, int last,
                                     Beginnings& beginnings) {
  std::vector<Result<Page>> results(static_cast<std::size_t>(last - first + 1));
  std::atomic<std::size_t> next{0};
  std::atomic<bool> has_failed{false};
  const auto work = [&] {
    for (auto index = next++; index < results.size(); index = next++) {
      if (has_failed || beginnings.repeats()) break;
      results[index] = read_page(transport, listing, decode, first + static_cast<int>(index));
      if (results[index]) {
        beginnings.add(*results[index]);
      } else {
        has_failed = true;
      }
    }
  };
  {
    const auto helpers = std::min<std::size_t>(side_by_side_max, results.size()) - 1;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < helpers; ++i) threads.emplace_back(work);
    work();
  }
  std::vector<Page> pages;
  for (auto& result : results) {
    // A page that was skipped after an error elsewhere is empty, but then that error is returned.
    if (!result) return fail(std::move(result.error()));
    pages.push_back(std::move(*result));
  }
  return pages;
}

void add(Walk& walk, Page& page) {
  for (auto& item : page.items) {
    if (walk.identities.insert(std::move(item.identity)).second) {
      walk.items.push_back(std::move(item.value));
    }
  }
}

Result<Walk> walk_once(Transport& transport, const Listing& listing, const DecodeItem& decode) {
  PAAS_TRY(auto first, read_page(transport, listing, decode, 1));
  const auto total = first.total;
  Walk walk;
  Beginnings beginnings;
  beginnings.add(first);
  std::vector<Page> rest;
  if (first.has_next && total && *total > per_page) {
    const auto last = *total / per_page + (*total % per_page == 0 ? 0 : 1);
    if (last > pages_max) {
      return fail(ErrorKind::limited,
                  fmt::format("the API's list \"{}\" has {} items", listing.key, *total));
    }
    PAAS_TRY(rest, read_pages(transport, listing, decode, 2, static_cast<int>(last), beginnings));
  }
  add(walk, first);
  walk.pages += static_cast<int>(rest.size());
  bool has_next = first.has_next;
  for (auto& page : rest) {
    if (!has_next || page.total != total) walk.agrees = false;
    has_next = page.has_next;
    add(walk, page);
  }
  // The list grew, or no total was given: the rest is read page by page.
  for (int number = 2 + static_cast<int>(rest.size()); has_next && !beginnings.repeats();
       ++number) {
    if (number > pages_max) {
      return fail(ErrorKind::unreachable,
                  fmt::format("the API's list \"{}\" does not end", listing.key));
    }
    PAAS_TRY(auto page, read_page(transport, listing, decode, number));
    ++walk.pages;
    if (page.total != total) walk.agrees = false;
    has_next = page.has_next;
    beginnings.add(page);
    add(walk, page);
  }
  walk.repeats = beginnings.repeats();
  if (total && static_cast<std::int64_t>(walk.items.size()) != *total) walk.agrees = false;
  return walk;
}

Error never_whole(const Listing& listing, const Walk& walk) {
  if (walk.repeats) {
    return make_error(
        ErrorKind::unreachable,
        fmt::format("the API gives the same page of its list \"{}\" again and again", listing.key));
  }
  return make_error(
      ErrorKind::unreachable,
      fmt::format("the API's list \"{}\" kept changing while it was read", listing.key),
      "try again when fewer things are being made and removed");
}

}  // namespace

Result<std::vector<std::shared_ptr<void>>> read_all(Transport& transport, const Listing& listing,
                                                    const DecodeItem& decode) {
  std::optional<std::set<std::string>> before;
  for (int walks = 1;; ++walks) {
    PAAS_TRY(auto walk, walk_once(transport, listing, decode));
    // One page is one moment. Between two pages one item may go and another come: the total stays,
    // and what moved to a page that had been read is missed. So several pages are believed when two
    // walks found the same, also where the total says otherwise: it may count what is not shown.
    // A walk that was given up is a part of the list, and two of them may be the same part.
    if (!walk.repeats) {
      if (listing.reading == Client::Reading::glance) return std::move(walk.items);
      const bool is_enough = walk.pages == 1 || listing.reading == Client::Reading::quick;
      if (walk.agrees && is_enough) return std::move(walk.items);
      if (before == walk.identities) return std::move(walk.items);
      before = std::move(walk.identities);
    }
    if (walks >= walks_max) return fail(never_whole(listing, walk));
    PAAS_CHECK(transport.clock().wait(between_walks * walks));
  }
}

}  // namespace paas::digitalocean
