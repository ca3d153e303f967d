// A request after routing, as the functions that answer it see it.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/core.hpp"
#include "cloud/turn.hpp"

namespace paas::cloud {

using Json = nlohmann::json;

struct Call {
  const Request& request;
  std::vector<std::string> arguments;  ///< What the pattern's {} matched.
  Json body;                           ///< An object.

  /// The query parameter, or "" when it is not given.
  std::string query(const std::string& name) const {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
  }
};

struct Reply {
  int status = 200;
  Json body;  ///< Null: no body.
};

/// Errors become answers by their kind: invalid 422, not_found 404, exists 409, unauthorised 403,
/// failed 412.
using Handler = Result<Reply> (*)(Turn&, const Call&);

tl::unexpected<Error> not_found();
tl::unexpected<Error> invalid(std::string message);
tl::unexpected<Error> pending_event();
/// Something else has to be done first.
tl::unexpected<Error> precondition_failed(std::string message);

/// Fields of the body. Absent and null are the same; another type is an error that names the field.
Result<std::optional<std::string>> text_field(const Json& body, const std::string& name);
Result<std::optional<std::int64_t>> number_field(const Json& body, const std::string& name);
Result<std::vector<std::string>> texts_field(const Json& body, const std::string& name);
Result<std::vector<Id>> ids_field(const Json& body, const std::string& name);

/// Part of a list, as the query's page and per_page say.
struct Page {
  std::size_t first = 0;
  std::size_t last = 0;  ///< One behind the end.
};
Result<Page> page_of(const Call& call, std::size_t total);
/// `links` and `meta` of a list's answer.
void add_paging(Json& body, const Call& call, std::size_t total);

/// The answer to a list request: only the page's items are made into JSON.
template <typename Item, typename View>
Result<Reply> list_reply(const Call& call, const std::string& key,
                         const std::vector<const Item*>& items, View view) {
  PAAS_TRY(const Page page, page_of(call, items.size()));
  Json body = {{key, Json::array()}};
  for (auto index = page.first; index < page.last; ++index)
    body[key].push_back(view(*items[index]));
  add_paging(body, call, items.size());
  return Reply{200, std::move(body)};
}

/// Pointers to the values of a map that a test lets through, in the order of their keys.
template <typename Map, typename Test>
std::vector<const typename Map::mapped_type*> select(const Map& map, Test test) {
  std::vector<const typename Map::mapped_type*> found;
  for (const auto& [key, value] : map) {
    if (test(value)) found.push_back(&value);
  }
  return found;
}

}  // namespace paas::cloud
