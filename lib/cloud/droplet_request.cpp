// Checks names, and finds images.
#include "cloud/droplet_request.hpp"

#include <algorithm>
#include <cctype>

#include "base/text.hpp"
#include "cloud/catalogue.hpp"
#include "cloud/routes.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_name_length = 255;

bool is_hostname(const std::string& name) {
  const auto alphanumeric = [](unsigned char character) { return std::isalnum(character) != 0; };
  return !name.empty() && name.size() <= max_name_length &&
         alphanumeric(static_cast<unsigned char>(name.back())) &&
         std::all_of(name.begin(), name.end(), [&](unsigned char character) {
           return alphanumeric(character) || character == '.' || character == '-';
         });
}

}  // namespace

Status check_droplet_name(const std::string& name) {
  if (name.empty()) return invalid("Name can't be blank");
  if (is_hostname(name)) return {};
  return invalid("Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)");
}

std::optional<Id> image_in(State& state, const nlohmann::json& body) {
  const auto given = body.find("image");
  if (given == body.end()) return std::nullopt;
  std::optional<Id> id;
  if (given->is_number_integer()) id = given->get<Id>();
  if (given->is_string()) {
    const auto slug = given->get<std::string>();
    if (const auto* entry = catalogue::find_distribution(slug)) return entry->id;
    id = text::to_integer(slug);
  }
  const bool known =
      id && (catalogue::find_distribution(*id) != nullptr || find_image(state, *id) != nullptr);
  return known ? id : std::nullopt;
}

}  // namespace paas::cloud
