// Reads the settings at the beginning of a state, and leaves out what follows.
#include "cloud/identity.hpp"

#include <nlohmann/json.hpp>

#include "cloud/settings.hpp"

namespace paas::cloud {
namespace {

using Json = nlohmann::json;

/// Collects the object "settings", which has no parts of its own. A handler that answers false ends
/// the reading.
class SettingsReader : public nlohmann::json_sax<Json> {
 public:
  const Json& settings() const { return settings_; }

  bool null() override { return take(nullptr); }
  bool boolean(bool value) override { return take(value); }
  bool number_integer(number_integer_t value) override { return take(value); }
  bool number_unsigned(number_unsigned_t value) override { return take(value); }
  bool number_float(number_float_t value, const string_t&) override { return take(value); }
  bool string(string_t& value) override { return take(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool start_array(std::size_t) override { return ++depth_ > 0; }
  bool end_array() override { return --depth_ > 0; }
  bool end_object() override {
    const bool is_read = is_inside_ && depth_ == 2;
    --depth_;
    return !is_read;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) is_inside_ = name == "settings";
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool take(Json value) {
    if (is_inside_ && depth_ == 2) settings_[key_] = std::move(value);
    return true;
  }

  Json settings_ = Json::object();
  std::string key_;
  int depth_ = 0;
  bool is_inside_ = false;
};

}  // namespace

std::optional<Identity> identity_in(Files& files, const std::string& state_folder) {
  const auto text = files.read(state_file(state_folder));
  if (!text) return std::nullopt;
  SettingsReader reader;
  static_cast<void>(Json::sax_parse(*text, &reader));
  const auto& settings = reader.settings();
  try {
    return Identity{settings.at("name"), settings.at("public_range"), settings.at("metadata_only")};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace paas::cloud
