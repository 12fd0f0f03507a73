#include <array>
#include <cstdlib>
#include <utility>

#include <windows.h>
// after it
#include <bcrypt.h>

#include "base/sha256.h"

namespace gpup {

namespace {

constexpr std::size_t kDigestBytes = 32;

// SHA-256 can only fail where memory is out or the system is broken: nothing that a caller could answer to.
void must(NTSTATUS status) {
  if (!BCRYPT_SUCCESS(status)) {
    std::abort();
  }
}

/// The system's own, opened once.
BCRYPT_ALG_HANDLE sha256() {
  static const BCRYPT_ALG_HANDLE only = [] {
    BCRYPT_ALG_HANDLE handle = nullptr;
    must(::BCryptOpenAlgorithmProvider(&handle, BCRYPT_SHA256_ALGORITHM, nullptr, 0));
    return handle;
  }();
  return only;
}

}  // namespace

Sha256::Sha256() { must(::BCryptCreateHash(sha256(), &digest_, nullptr, 0, nullptr, 0, 0)); }

Sha256::~Sha256() {
  if (digest_ != nullptr) {
    ::BCryptDestroyHash(digest_);
  }
}

Sha256::Sha256(Sha256&& other) noexcept : digest_(std::exchange(other.digest_, nullptr)) {}

Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(digest_, other.digest_);
  return *this;
}

void Sha256::update(std::string_view bytes) {
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kMostAtOnce);
    // It only reads them, whatever its declaration says.
    auto* const first = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    must(::BCryptHashData(digest_, first, static_cast<ULONG>(part.size()), 0));
    bytes.remove_prefix(part.size());
  }
}

std::string Sha256::hex() {
  std::array<unsigned char, kDigestBytes> bytes{};
  must(::BCryptFinishHash(digest_, bytes.data(), bytes.size(), 0));
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 0xfU];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

}  // namespace gpup
