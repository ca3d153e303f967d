// Implementation of key pairs with ssh-keygen, and of fingerprints.
#include "ssh/keys.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <random>
#include <string_view>

#include "base/text.hpp"

namespace paas::ssh {
namespace {

/// The digest of the key's blob (the second word of its line); empty when it is not a key.
std::string digest_of_key(const std::string& public_key, const EVP_MD* algorithm) {
  const auto words = text::split(text::trim(public_key), ' ');
  const auto blob = words.size() < 2 ? std::nullopt : text::base64_decode(words[1]);
  if (!blob) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(blob->data(), blob->size(), digest.data(), &length, algorithm, nullptr) != 1) {
    return {};
  }
  return {reinterpret_cast<const char*>(digest.data()), length};
}

Result<KeyPair> generate_in(Processes& processes, Files& files, const std::string& folder,
                            const std::string& comment) {
  const auto path = folder + "/key";
  ProcessRequest request;
  request.arguments = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path};
  request.timeout = std::chrono::seconds(30);
  PAAS_TRY(const ProcessResult result, processes.run(request));
  if (result.exit_status != 0) {
    return fail(ErrorKind::failed, fmt::format("ssh-keygen: {}", text::trim(result.error_output)));
  }
  PAAS_TRY(std::string private_key, files.read(path));
  PAAS_TRY(const std::string public_key, files.read(path + ".pub"));
  return KeyPair{Secret(std::move(private_key)), std::string(text::trim(public_key))};
}

}  // namespace

Result<KeyPair> generate_key(Processes& processes, Files& files, const std::string& scratch_folder,
                             const std::string& comment) {
  // The name only has to be free; nobody else gets into the folder.
  std::random_device random;
  const auto folder = fmt::format("{}/key-{:08x}{:08x}", scratch_folder, random(), random());
  PAAS_CHECK(files.make_directories(folder, 0700));
  auto pair = generate_in(processes, files, folder, comment);
  const auto removed = files.remove_tree(folder);
  if (!pair) return fail(std::move(pair.error()), "making an SSH key");
  if (!removed) return fail(removed.error(), "making an SSH key");
  return pair;
}

std::string fingerprint_sha256(const std::string& public_key) {
  const auto digest = digest_of_key(public_key, EVP_sha256());
  if (digest.empty()) return {};
  auto encoded = text::base64_encode(digest);
  encoded.erase(encoded.find_last_not_of('=') + 1);
  return "SHA256:" + encoded;
}

std::string fingerprint_md5(const std::string& public_key) {
  std::string result;
  for (const char byte : digest_of_key(public_key, EVP_md5())) {
    if (!result.empty()) result += ':';
    result += text::hex(std::string_view(&byte, 1));
  }
  return result;
}

}  // namespace paas::ssh
