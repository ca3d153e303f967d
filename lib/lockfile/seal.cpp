// AES-256-GCM and SHA-256 with OpenSSL's EVP interface.
#include "lockfile/seal.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/text.hpp"

namespace paas::lockfile {
namespace {

constexpr std::string_view prefix = "paas1:";
constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int size_of(std::string_view text) { return static_cast<int>(text.size()); }

Status check_key(const Key& key) {
  if (key.reveal().size() == key_bytes) return {};
  return fail(ErrorKind::invalid, "a key that seals secrets must have 32 bytes");
}

/// Why a value does not open is not told apart: a wrong key, another place and a changed byte look
/// the same.
tl::unexpected<Error> does_not_open(std::string_view place) {
  return fail(ErrorKind::invalid,
              "the secret at " + std::string(place) + " does not open with this key");
}

}  // namespace

Result<std::string> seal(const Secret& value, std::string_view place, const Key& key,
                         Random& random) {
  PAAS_CHECK(check_key(key));
  const auto nonce = random.bytes(nonce_bytes);
  std::string text(value.reveal().size(), '\0');
  std::string tag(tag_bytes, '\0');
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int length = 0;
  int rest = 0;
  const bool is_sealed =
      context && nonce.size() == nonce_bytes &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.reveal()),
                         bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &rest, bytes_of(place), size_of(place)) == 1 &&
      EVP_EncryptUpdate(context.get(), bytes_of(text), &length, bytes_of(value.reveal()),
                        size_of(value.reveal())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes_of(text) + length, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) == 1;
  if (!is_sealed) return fail(ErrorKind::failed, "sealing the secret at " + std::string(place));
  return std::string(prefix) + text::base64_encode(nonce + text + tag);
}

Result<Secret> unseal(std::string_view sealed, std::string_view place, const Key& key) {
  PAAS_CHECK(check_key(key));
  if (sealed.substr(0, prefix.size()) != prefix) {
    return fail(ErrorKind::invalid, "the secret at " + std::string(place) + " is not sealed");
  }
  const auto raw = text::base64_decode(sealed.substr(prefix.size()));
  if (!raw || raw->size() < nonce_bytes + tag_bytes) return does_not_open(place);
  const std::string_view whole = *raw;
  const auto nonce = whole.substr(0, nonce_bytes);
  const auto body = whole.substr(nonce_bytes, whole.size() - nonce_bytes - tag_bytes);
  std::string tag(whole.substr(whole.size() - tag_bytes));
  std::string value(body.size(), '\0');
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int length = 0;
  int rest = 0;
  const bool is_open =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key.reveal()),
                         bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &rest, bytes_of(place), size_of(place)) == 1 &&
      EVP_DecryptUpdate(context.get(), bytes_of(value), &length, bytes_of(body), size_of(body)) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), bytes_of(value) + length, &rest) == 1;
  if (!is_open) {
    OPENSSL_cleanse(value.data(), value.size());
    return does_not_open(place);
  }
  return Secret(std::move(value));
}

std::string sha256_hex(std::string_view data) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(data.data(), data.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return text::hex({reinterpret_cast<const char*>(digest.data()), length});
}

}  // namespace paas::lockfile
