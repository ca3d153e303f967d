// SHA-256 as it is fed.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace paas::docker {

class Sha256 {
 public:
  Sha256();
  void feed(std::string_view data);
  /// "sha256:" and the digest in hexadecimal; nothing may be fed afterwards.
  std::string finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// The digest of a whole text.
std::string sha256(std::string_view data);

}  // namespace paas::docker
