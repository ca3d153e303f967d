// Reads fields of request bodies, and pages lists.
#include "cloud/call.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace paas::cloud {
namespace {

constexpr std::int64_t default_per_page = 20;
constexpr std::int64_t max_per_page = 200;

struct PageNumbers {
  std::int64_t page = 1;
  std::int64_t per_page = default_per_page;
};

Result<std::int64_t> page_number(const Call& call, const std::string& name, std::int64_t otherwise,
                                 std::int64_t highest) {
  const auto given = call.query(name);
  if (given.empty()) return otherwise;
  const auto value = text::to_integer(given);
  if (!value || *value < 1 || *value > highest) {
    return invalid(fmt::format("{} must be a number from 1 to {}", name, highest));
  }
  return *value;
}

Result<PageNumbers> page_numbers(const Call& call) {
  PageNumbers numbers;
  PAAS_TRY(numbers.page, page_number(call, "page", 1, 1'000'000'000));
  PAAS_TRY(numbers.per_page, page_number(call, "per_page", default_per_page, max_per_page));
  return numbers;
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (std::isalnum(static_cast<unsigned char>(character)) != 0 ||
        std::string_view("-._~:").find(character) != std::string_view::npos) {
      escaped += character;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(character));
    }
  }
  return escaped;
}

/// The same request for another page, in full.
std::string page_url(const Call& call, std::int64_t page) {
  std::string url = call.request.base_url + call.request.path + fmt::format("?page={}", page);
  for (const auto& [name, value] : call.request.query) {
    if (name != "page") url += fmt::format("&{}={}", escape(name), escape(value));
  }
  return url;
}

const Json* field(const Json& body, const std::string& name) {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

tl::unexpected<Error> not_found() {
  return fail(ErrorKind::not_found, "The resource you requested could not be found.");
}

tl::unexpected<Error> invalid(std::string message) {
  return fail(ErrorKind::invalid, std::move(message));
}

tl::unexpected<Error> precondition_failed(std::string message) {
  return fail(ErrorKind::failed, std::move(message));
}

tl::unexpected<Error> pending_event() { return invalid("Droplet already has a pending event."); }

Result<std::optional<std::string>> text_field(const Json& body, const std::string& name) {
  const auto* value = field(body, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return invalid(name + " must be a string");
  return value->get<std::string>();
}

Result<std::optional<std::int64_t>> number_field(const Json& body, const std::string& name) {
  const auto* value = field(body, name);
  if (value == nullptr) return std::nullopt;
  // Identifiers come as text as well, from libcloud for example.
  if (value->is_string() && name.ends_with("_id")) {
    if (const auto number = text::to_integer(value->get<std::string>())) return *number;
  }
  if (!value->is_number_integer()) return invalid(name + " must be an integer");
  return value->get<std::int64_t>();
}

Result<std::vector<std::string>> texts_field(const Json& body, const std::string& name) {
  const auto* value = field(body, name);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (!value->is_array()) return invalid(name + " must be an array of strings");
  for (const auto& item : *value) {
    if (!item.is_string()) return invalid(name + " must be an array of strings");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<std::vector<Id>> ids_field(const Json& body, const std::string& name) {
  const auto* value = field(body, name);
  std::vector<Id> ids;
  if (value == nullptr) return ids;
  if (!value->is_array()) return invalid(name + " must be an array of integers");
  for (const auto& item : *value) {
    if (!item.is_number_integer()) return invalid(name + " must be an array of integers");
    ids.push_back(item.get<Id>());
  }
  return ids;
}

Result<Page> page_of(const Call& call, std::size_t total) {
  PAAS_TRY(const auto numbers, page_numbers(call));
  const auto first = static_cast<std::uint64_t>((numbers.page - 1) * numbers.per_page);
  Page page;
  page.first = std::min<std::size_t>(first, total);
  page.last = std::min<std::size_t>(page.first + static_cast<std::size_t>(numbers.per_page), total);
  return page;
}

void add_paging(Json& body, const Call& call, std::size_t total) {
  const auto numbers = page_numbers(call).value_or(PageNumbers{});
  const auto count = static_cast<std::int64_t>(total);
  const auto pages = std::max<std::int64_t>(1, (count + numbers.per_page - 1) / numbers.per_page);
  Json links = Json::object();
  if (numbers.page > 1) {
    links["first"] = page_url(call, 1);
    links["prev"] = page_url(call, std::min(numbers.page - 1, pages));
  }
  if (numbers.page < pages) {
    links["next"] = page_url(call, numbers.page + 1);
    links["last"] = page_url(call, pages);
  }
  body["links"] = links.empty() ? Json::object() : Json{{"pages", std::move(links)}};
  body["meta"] = {{"total", total}};
}

}  // namespace paas::cloud
