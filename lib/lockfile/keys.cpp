// Where the key that seals a lockfile's secrets lies: PAASCTL_KEY, or a file under the user's
// configuration.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "lockfile/seal.hpp"

namespace paas::lockfile {
namespace {

constexpr const char* key_variable = "PAASCTL_KEY";
constexpr std::size_t key_bytes = 32;
constexpr std::uint32_t others_mask = 077;

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// Nothing when the file is not there.
Result<std::optional<Key>> read_key_file(Files& files, const std::string& path) {
  PAAS_TRY(const auto info, files.info(path));
  if (!info) return std::nullopt;
  if (info->kind != FileKind::regular) {
    return fail(ErrorKind::invalid, fmt::format("the key {} is not a plain file", path));
  }
  if ((info->mode & others_mask) != 0) {
    return fail(ErrorKind::invalid, fmt::format("others may read the key {}", path),
                fmt::format("chmod 600 {}", path));
  }
  PAAS_TRY(const auto content, files.read(path));
  PAAS_TRY(auto key, parse_key(content, path));
  return std::optional<Key>(std::move(key));
}

Status write_key(Files& files, const std::string& path, const Key& key) {
  PAAS_CHECK(files.make_directories(folder_of(path), 0700));
  return files.write_atomically(path, key_text(key), 0600);
}

}  // namespace

std::string key_text(const Key& key) { return text::base64_encode(key.reveal()) + "\n"; }

Result<Key> parse_key(std::string_view encoded, const std::string& where) {
  auto raw = text::base64_decode(text::trim(encoded));
  if (raw && raw->size() == key_bytes) return Key(std::move(*raw));
  return fail(
      ErrorKind::invalid, fmt::format("{} is not a key: 32 bytes in base64 are", where),
      "without the right key the lockfile's secrets cannot be read; restore the key's file");
}

bool is_lineage(std::string_view text) {
  return text.size() >= 8 && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-';
         });
}

Result<std::string> key_path(Environment& environment, const std::string& lineage) {
  if (!is_lineage(lineage)) {
    return fail(ErrorKind::invalid, "the lockfile's lineage is not made of letters and digits");
  }
  // The XDG base directory specification has relative paths ignored.
  const auto config = environment.get("XDG_CONFIG_HOME");
  if (config && !config->empty() && config->front() == '/') {
    return fmt::format("{}/paasctl/keys/{}", *config, lineage);
  }
  const auto home = environment.get("HOME");
  if (home && !home->empty()) return fmt::format("{}/.config/paasctl/keys/{}", *home, lineage);
  return fail(ErrorKind::not_found, "neither XDG_CONFIG_HOME nor HOME says where keys are kept",
              "set HOME, or give the key in PAASCTL_KEY");
}

Result<Key> load_key(Files& files, Environment& environment, const std::string& lineage) {
  if (const auto given = environment.get(key_variable)) return parse_key(*given, key_variable);
  PAAS_TRY(const auto path, key_path(environment, lineage));
  PAAS_TRY(auto key, read_key_file(files, path));
  if (key) return std::move(*key);
  return fail(
      ErrorKind::unauthorised, "the key that opens the lockfile's secrets is missing",
      fmt::format("it is looked for in PAASCTL_KEY and in {}; copy it from where the "
                  "stack was first brought up (`paasctl state key export --to FILE` there, `state "
                  "key import` here)",
                  path));
}

Result<Key> create_key(Files& files, Environment& environment, Random& random,
                       const std::string& lineage) {
  if (const auto given = environment.get(key_variable)) return parse_key(*given, key_variable);
  PAAS_TRY(const auto path, key_path(environment, lineage));
  // An earlier run may have ended between storing the key and the lockfile.
  PAAS_TRY(auto present, read_key_file(files, path));
  if (present) return std::move(*present);
  Key key(random.bytes(key_bytes));
  PAAS_CHECK(write_key(files, path, key));
  return key;
}

Result<std::string> store_key(Files& files, Environment& environment, const std::string& lineage,
                              const Key& key) {
  PAAS_TRY(auto path, key_path(environment, lineage));
  PAAS_TRY(const auto present, read_key_file(files, path));
  if (present && *present != key) {
    return fail(ErrorKind::exists, fmt::format("{} holds another key", path),
                "nothing was changed: move that file away if it is of no use any more");
  }
  if (!present) PAAS_CHECK(write_key(files, path, key));
  return path;
}

}  // namespace paas::lockfile
