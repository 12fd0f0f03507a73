#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace gpup {

// What a signature is for: one of a plan is none of a receipt, nor of a commit or a mail that the same key signed.
inline constexpr std::string_view kPlanSignature = "gpup-plan";
inline constexpr std::string_view kReceiptSignature = "gpup-receipt";

/// Who signed, as the file of allowed signers knows it.
struct Signer {
  std::string name;  ///< `alice@example.com`
  std::string key;   ///< `ED25519 SHA256:RK6B...`
  bool operator==(const Signer&) const = default;
};

/// Signs, and checks signatures, with the keys that people have.
class Signatures {
 public:
  virtual ~Signatures() = default;

  /// The signature of `bytes`, as text for a file of its own. `key`: the path of a private key, or of a public one
  /// whose private key an agent holds. kCannotRead with a diagnostic (kCannotSign) where there is none.
  virtual Result<std::string> sign(const std::string& key, std::string_view purpose, std::string_view bytes) = 0;

  /// Who signed `bytes`. `signature` and `allowed` are paths, of a signature and of the allowed signers. kBadContent
  /// with a diagnostic: the signature is not one of these bytes for this purpose (kSignatureBroken), or nobody who is
  /// allowed has made it (kSignerUnknown). kCannotRead where that could not be found out.
  virtual Result<Signer> verify(const std::string& allowed, const std::string& signature, std::string_view purpose,
                                std::string_view bytes) = 0;
};

}  // namespace gpup
