// Ed25519 key pairs in OpenSSH's formats.
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "ports/files.hpp"
#include "ports/process.hpp"

namespace paas::ssh {

struct KeyPair {
  Secret private_key;      ///< OpenSSH's PEM, ends with a newline.
  std::string public_key;  ///< "ssh-ed25519 AAAA... comment"
};

/// Makes a key pair with ssh-keygen in a private folder that is removed afterwards.
Result<KeyPair> generate_key(Processes& processes, Files& files, const std::string& scratch_folder,
                             const std::string& comment);

/// "SHA256:..." of a public key line, as ssh-keygen -lf prints it.
std::string fingerprint_sha256(const std::string& public_key);
/// "aa:bb:...": the MD5 fingerprint that DigitalOcean identifies keys by.
std::string fingerprint_md5(const std::string& public_key);

}  // namespace paas::ssh
