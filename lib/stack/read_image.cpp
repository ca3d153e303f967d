// Reads an image: how it is built, or where it is pulled from.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stack/read_stack.hpp"
#include "stack/show.hpp"

namespace paas::stack {

namespace {

/// What an image that is pulled has none of.
constexpr std::array build_keys = {"dockerfile", "target", "args", "platform", "secrets"};

std::map<std::string, SecretSource> read_build_secrets(Reader& reader, const Field& field) {
  std::map<std::string, SecretSource> result;
  for (const auto& [id, secret] : reader.entries(field)) {
    if (!reader.accept(secret, parse_secret_id(id))) continue;
    result[id] = read_secret_source(reader, secret);
  }
  return result;
}

void read_context(Reader& reader, const Fields& fields, ImageSource& image) {
  const auto build = fields.find("build");
  if (build != fields.end() && build->second.node->kind == yaml::Kind::map) {
    reader.report(build->second.path, "must be the folder of the build context, not a map",
                  "write build: ./folder, with dockerfile, target and args beside it");
    return;
  }
  read_text(reader, fields, "build", parse_plain_text, image.context);
}

}  // namespace

SecretSource read_secret_source(Reader& reader, const Field& field) {
  SecretSource source;
  if (field.node->kind == yaml::Kind::scalar) {
    reader.report(field.path, "must say where the secret is, not what it is",
                  "write {env: VARIABLE} or {file: PATH}: the stack file keeps no secrets");
    return source;
  }
  const auto fields = reader.fields(field, {"env", "file"});
  read_text(reader, fields, "env", parse_variable_name, source.env);
  read_text(reader, fields, "file", parse_plain_text, source.file);
  if (reader.is_broken(field.path)) return source;
  if (fields.size() != 1) {
    reader.report(field.path, fields.empty() ? "has neither env nor file" : "has both env and file",
                  "write {env: VARIABLE} or {file: PATH}");
  }
  return source;
}

ImageSource read_image(Reader& reader, const Field& field) {
  ImageSource image;
  if (field.node->kind == yaml::Kind::scalar) {
    reader.report(
        field.path, "must be a map, not text",
        fmt::format("write {{build: {0}}} for a folder with a Dockerfile, or {{pull: {0}}} "
                    "for a registry's image",
                    show_key(field.node->value)));
    return image;
  }
  std::vector<std::string> keys = {"build", "pull"};
  keys.insert(keys.end(), build_keys.begin(), build_keys.end());
  const auto fields = reader.fields(field, keys);
  const auto has = [&](std::string_view key) { return fields.find(key) != fields.end(); };
  read_context(reader, fields, image);
  read_text(reader, fields, "dockerfile", parse_inner_path, image.dockerfile);
  read_text(reader, fields, "target", parse_plain_text, image.target);
  read_text(reader, fields, "platform", parse_platform, image.platform);
  read_text(reader, fields, "pull", parse_image_reference, image.pull);
  if (has("args")) image.args = read_variables(reader, fields.at("args"));
  if (has("secrets")) image.secrets = read_build_secrets(reader, fields.at("secrets"));
  if (reader.is_broken(field.path)) return image;
  if (has("build") == has("pull")) {
    reader.report(
        field.path, has("build") ? "has both build and pull" : "has neither build nor pull",
        "write build: ./folder to build it, or pull: REFERENCE to get it from a registry");
  } else if (has("pull") && std::any_of(build_keys.begin(), build_keys.end(), has)) {
    reader.report(field.path,
                  "dockerfile, target, args, platform and secrets belong to build, not to pull",
                  "remove them, or build the image");
  }
  return image;
}

}  // namespace paas::stack
