// SHA-256 with OpenSSL.
#include "docker/sha256.hpp"

#include <openssl/evp.h>

#include <array>

#include "base/text.hpp"

namespace paas::docker {

void Sha256::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
}

void Sha256::feed(std::string_view data) {
  EVP_DigestUpdate(context_.get(), data.data(), data.size());
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
  return "sha256:" + text::hex({reinterpret_cast<const char*>(digest.data()), length});
}

std::string sha256(std::string_view data) {
  Sha256 hash;
  hash.feed(data);
  return hash.finish();
}

}  // namespace paas::docker
