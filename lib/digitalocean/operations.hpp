// The shapes that most operations have: one object, a whole list, a deletion, an action.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "digitalocean/decode.hpp"
#include "digitalocean/paging.hpp"
#include "digitalocean/transport.hpp"

namespace paas::digitalocean {

/// Sends and decodes the member `key` of the answer.
template <typename T>
Result<T> send_for(Transport& transport, const Call& call, const char* key,
                   Result<T> (*decode)(const nlohmann::json&)) {
  PAAS_TRY(const auto body, transport.send(call));
  return decode_member(body, key, decode);
}

/// Sends and decodes the list `key` of an answer that has no pages.
template <typename T>
Result<std::vector<T>> send_for_list(Transport& transport, const Call& call, const char* key,
                                     Result<T> (*decode)(const nlohmann::json&)) {
  PAAS_TRY(const auto body, transport.send(call));
  const auto list = body.is_object() ? body.find(key) : body.end();
  if (list == body.end() || !list->is_array()) {
    return fail(ErrorKind::unreachable,
                std::string("the API's answer has no list \"") + key + "\"");
  }
  return decode_items(*list, decode);
}

template <typename T>
Result<std::vector<T>> list_of(Transport& transport, const Listing& listing,
                               Result<T> (*decode)(const nlohmann::json&)) {
  PAAS_TRY(const auto items,
           read_all(transport, listing,
                    [decode](const nlohmann::json& item) -> Result<std::shared_ptr<void>> {
                      PAAS_TRY(auto value, decode(item));
                      return std::make_shared<T>(std::move(value));
                    }));
  std::vector<T> values;
  values.reserve(items.size());
  for (const auto& item : items) values.push_back(std::move(*static_cast<T*>(item.get())));
  return values;
}

/// What does not exist is deleted already.
inline Status send_deletion(Transport& transport, const std::string& path,
                            nlohmann::json body = {}) {
  const auto answer = transport.send({"DELETE", path, std::move(body)});
  if (answer || answer.error().kind == ErrorKind::not_found) return {};
  return fail(answer.error());
}

/// Error invalid when an identifier that goes into a path is empty: DELETE /v2/volumes/ would be
/// another operation.
inline Status check_given(const std::string& value, const std::string& what) {
  if (!value.empty()) return {};
  return fail(ErrorKind::invalid, "an empty " + what + " was given to the API");
}

}  // namespace paas::digitalocean
