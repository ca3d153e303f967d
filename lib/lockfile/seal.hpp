// Secrets at rest: AES-256-GCM, one nonce a value, bound to its place by associated data.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"
#include "ports/random.hpp"

namespace paas::lockfile {

/// 32 bytes.
using Key = Secret;

/// "paas1:" + base64(nonce 12 bytes, ciphertext, tag 16 bytes).
Result<std::string> seal(const Secret& value, std::string_view place, const Key& key,
                         Random& random);
Result<Secret> unseal(std::string_view sealed, std::string_view place, const Key& key);

/// The key of a lineage: PAASCTL_KEY (base64) or $XDG_CONFIG_HOME/paasctl/keys/LINEAGE (0600,
/// base64). Errors: unauthorised when there is none, with a hint that names both; invalid when it
/// is not 32 bytes or others may read the file.
Result<Key> load_key(Files& files, Environment& environment, const std::string& lineage);
/// Makes one and stores it, 0600 in a 0700 folder; with PAASCTL_KEY set that one is used and
/// nothing is stored.
Result<Key> create_key(Files& files, Environment& environment, Random& random,
                       const std::string& lineage);

/// A key as people and programs hand it on: base64 in one line.
std::string key_text(const Key& key);
/// Error invalid when it is not 32 bytes in base64; `where` is what the message calls the text.
Result<Key> parse_key(std::string_view encoded, const std::string& where);
/// Stores the key of a lineage, 0600 in a 0700 folder, and gives the path. The same key again is no
/// error. Error exists when another one is there: it may be the only one that opens a lockfile.
Result<std::string> store_key(Files& files, Environment& environment, const std::string& lineage,
                              const Key& key);

/// Where the key of a lineage is stored. Error not_found: neither XDG_CONFIG_HOME nor HOME is set;
/// invalid: a lineage that must not become part of a path.
Result<std::string> key_path(Environment& environment, const std::string& lineage);
/// Letters, digits and "-", 8 to 64 of them: it becomes a file's name.
bool is_lineage(std::string_view text);

/// SHA-256 as lower-case hexadecimal.
std::string sha256_hex(std::string_view data);

}  // namespace paas::lockfile
