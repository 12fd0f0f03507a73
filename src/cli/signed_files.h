#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/call.h"
#include "execute/signatures.h"

namespace gpup {

/// Where the signature of a file lies: beside it.
std::string signature_path(std::string_view path);

/// Writes a file, and beside it its signature by the key of --sign. Where there can be none, neither is written; where
/// only one of the two could be put in its place, they do not fit, and no check accepts them.
Result<std::unique_ptr<OutputFile>> write_signed(const Call& call, std::string_view path, std::string_view purpose,
                                                 std::string_view bytes);

/// Who signed what was read from `path`, by the signature beside it and the file of --allowed-signers; nothing where
/// that was not given. kBadContent: it is not signed (kNotSigned), or not as it should be.
Result<std::optional<Signer>> check_signature(const Call& call, std::string_view purpose, const std::string& path,
                                              std::string_view bytes);

/// The same, told on stderr.
Result<std::optional<Signer>> signer_of(const Call& call, std::string_view purpose, const std::string& path,
                                        std::string_view bytes);

}  // namespace gpup
