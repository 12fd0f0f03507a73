#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include "base/diagnostics.h"

namespace gpup {

/// What kind of trouble the world gave us; decides the exit code.
enum class ErrorCode : unsigned char {
  kCannotRead,   ///< a file or stream could not be read or written: exit 1
  kBadContent,   ///< what was read is wrong; `diagnostics` say where: exit 4
  kUnreachable,  ///< a host could not be read; nothing is known about it
  kHeld,         ///< somebody else holds the host's lock, or a file: exit 6
  kRefused,      ///< the host refused; nothing happened
  kInterrupted,  ///< the reply was lost: it may have happened
};

struct Error {
  ErrorCode code = ErrorCode::kCannotRead;
  std::string message;
  Diagnostics diagnostics;
};

/// A value, or why there is none.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

/// Nothing to return but success.
struct Done {};

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}});
}
inline tl::unexpected<Error> fail(Diagnostics diagnostics) {
  return tl::unexpected<Error>(Error{ErrorCode::kBadContent, {}, std::move(diagnostics)});
}

/// The same trouble, told with where it happened: `hv-e1: access denied`.
inline tl::unexpected<Error> within(const std::string& where, Error error) {
  error.message = where + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace gpup
