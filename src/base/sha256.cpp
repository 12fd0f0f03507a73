#include "base/sha256.h"

#include <array>
#include <cstdlib>
#include <utility>

#include <openssl/evp.h>

namespace gpup {

namespace {

EVP_MD_CTX* raw(void* digest) { return static_cast<EVP_MD_CTX*>(digest); }

// SHA-256 can only fail where memory is out or the library is broken: nothing that a caller could answer to.
void must(bool worked) {
  if (!worked) {
    std::abort();
  }
}

}  // namespace

Sha256::Sha256() : digest_(EVP_MD_CTX_new()) {
  must(digest_ != nullptr && EVP_DigestInit_ex(raw(digest_), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(raw(digest_)); }

Sha256::Sha256(Sha256&& other) noexcept : digest_(std::exchange(other.digest_, nullptr)) {}

Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(digest_, other.digest_);
  return *this;
}

void Sha256::update(std::string_view bytes) { must(EVP_DigestUpdate(raw(digest_), bytes.data(), bytes.size()) == 1); }

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  must(EVP_DigestFinal_ex(raw(digest_), bytes.data(), &size) == 1);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(2UL * size);
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[bytes.at(i) >> 4U];
    text += kHex[bytes.at(i) & 0xfU];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

}  // namespace gpup
