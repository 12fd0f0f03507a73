#pragma once

#include <string>
#include <string_view>

namespace gpup {

/// What stands before a digest in ids: `sha256:0f3c...`.
inline constexpr std::string_view kSha256Prefix = "sha256:";

/// SHA-256 of bytes that come piece by piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&& other) noexcept;
  Sha256& operator=(Sha256&& other) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);

  /// The digest of all bytes so far as 64 lower-case hex digits. Call it once.
  std::string hex();

 private:
  void* digest_ = nullptr;  // the library's own
};

/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace gpup
