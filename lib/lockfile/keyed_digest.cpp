// HMAC with OpenSSL.
#include "lockfile/keyed_digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/text.hpp"

namespace paas::lockfile {

std::string keyed_digest(std::string_view text, const Key& key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const auto& secret = key.reveal();
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return text::hex({reinterpret_cast<const char*>(digest.data()), length});
}

}  // namespace paas::lockfile
