// Digests under a key, as RFC 4231 has them.
#include "lockfile/keyed_digest.hpp"

#include <doctest/doctest.h>

namespace paas::lockfile {
namespace {

TEST_CASE("lockfile: a keyed digest is HMAC-SHA-256") {
  // RFC 4231, test cases 1 and 2.
  CHECK(keyed_digest("Hi There", Key(std::string(20, '\x0b'))) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(keyed_digest("what do ya want for nothing?", Key("Jefe")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("lockfile: without a key a digest is still one") {
  // HMAC-SHA-256 of nothing with an empty key.
  CHECK(keyed_digest("", Key()) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

}  // namespace
}  // namespace paas::lockfile
