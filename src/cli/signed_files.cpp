#include "cli/signed_files.h"

#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::uint64_t kLargestSignature = std::uint64_t{64} * 1024;
constexpr std::uint64_t kLargestSigners = std::uint64_t{16} * 1024 * 1024;

/// The same trouble, said of a file.
Error about(const std::string& path, Error error) {
  for (Diagnostic& diagnostic : error.diagnostics) {
    diagnostic.file = path;
  }
  return error;
}

}  // namespace

std::string signature_path(std::string_view path) { return std::string(path) + ".sig"; }

Result<std::unique_ptr<OutputFile>> write_signed(const Call& call, std::string_view path, std::string_view purpose,
                                                 std::string_view bytes) {
  const std::string key(call.line.value("sign").value_or(""));
  const auto made = call.world.signatures().sign(key, purpose, bytes);
  if (!made) {
    return tl::unexpected<Error>(made.error());
  }
  auto file = call.world.create_output(std::string(path));
  if (!file) {
    return file;
  }
  const auto signature =
      write_file(call, signature_path(path), [&](OutputFile& signature_file) { signature_file.write(*made); });
  if (!signature) {
    return tl::unexpected<Error>(signature.error());
  }
  (*file)->write(bytes);
  if (const Result<Done> written = (*file)->commit(); !written) {
    return tl::unexpected<Error>(written.error());
  }
  return file;
}

Result<std::optional<Signer>> check_signature(const Call& call, std::string_view purpose, const std::string& path,
                                              std::string_view bytes) {
  const auto given = call.line.value("allowed-signers");
  if (!given) {
    return std::nullopt;
  }
  const std::string allowed(*given);
  if (const auto signers = call.world.read_file(allowed, kLargestSigners); !signers) {
    return tl::unexpected<Error>(signers.error());
  }
  const std::string signature = signature_path(path);
  if (const auto text = call.world.read_file(signature, kLargestSignature); !text) {
    Diagnostic missing = placeless(Code::kNotSigned, "it is not signed: " + text.error().message,
                                   "--sign KEY writes a file's signature beside it; both belong together");
    missing.file = path;
    return fail({std::move(missing)});
  }
  auto signer = call.world.signatures().verify(allowed, signature, purpose, bytes);
  if (!signer) {
    return tl::unexpected<Error>(about(path, signer.error()));
  }
  return std::move(*signer);
}

Result<std::optional<Signer>> signer_of(const Call& call, std::string_view purpose, const std::string& path,
                                        std::string_view bytes) {
  auto signer = check_signature(call, purpose, path, bytes);
  if (signer && *signer) {
    call.world.err().write(fmt::format("{} is signed by {} ({})\n", escape_terminal(path),
                                       escape_terminal((*signer)->name), escape_terminal((*signer)->key)));
  }
  return signer;
}

}  // namespace gpup
