#include "base/sha256.h"

#include <doctest/doctest.h>

namespace gpup {

TEST_CASE("SHA-256 gives the standard's digests, whole or piece by piece") {
  CHECK_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 digest;
  digest.update("a");
  digest.update("");
  digest.update("bc");
  CHECK_EQ(digest.hex(), sha256_hex("abc"));
}

}  // namespace gpup
