#include "adapters/ssh_signatures.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "adapters/run_program.h"

namespace gpup {

namespace {

/// Time to give a passphrase to a window that asks for it, or to touch a key.
constexpr std::chrono::minutes kLongestRun(2);

constexpr std::string_view kHead = "-----BEGIN SSH SIGNATURE-----";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
    const std::size_t end = line.find_last_not_of(" \r");
    if (end != std::string_view::npos) {
      lines.push_back(line.substr(0, end + 1));
    }
  }
  return lines;
}

/// The last thing that it complained of.
std::string complaint(const ProgramRun& run) {
  const std::vector<std::string_view> lines = lines_of(run.err);
  if (lines.empty()) {
    return run.ending.signal != 0 ? fmt::format("ssh-keygen was ended by signal {}", run.ending.signal)
                                  : fmt::format("ssh-keygen exited with {}", run.ending.code);
  }
  std::string_view last = lines.back();
  // It asks before it finds that there is nobody to ask.
  if (const std::size_t answer = last.find("Load key");
      last.starts_with("Enter ") && answer != std::string_view::npos) {
    last.remove_prefix(answer);
  }
  return std::string(last);
}

Diagnostic told(Code code, std::string message, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

/// What there is to say where ssh-keygen itself cannot do it.
tl::unexpected<Error> cannot(std::string message, std::string hint) {
  Error error;
  error.diagnostics = {told(Code::kCannotSign, std::move(message), std::move(hint))};
  return tl::unexpected<Error>(std::move(error));
}

tl::unexpected<Error> cannot_check(const Error& error) {
  return cannot("cannot check a signature: " + error.message, "signatures are OpenSSH's: it must be installed");
}

/// `ED25519 SHA256:...` of what -Y check-novalidate prints: `Good "gpup-plan" signature with ED25519 key SHA256:...`.
std::string key_of(std::string_view line) {
  constexpr std::string_view kWith = " signature with ";
  constexpr std::string_view kKey = " key ";
  const std::size_t with = line.rfind(kWith);
  const std::size_t key = line.rfind(kKey);
  if (with == std::string_view::npos || key == std::string_view::npos || key < with + kWith.size()) {
    return {};
  }
  const std::size_t type = with + kWith.size();
  return fmt::format("{} {}", line.substr(type, key - type), line.substr(key + kKey.size()));
}

class SshSignatures : public Signatures {
 public:
  Result<std::string> sign(const std::string& key, std::string_view purpose, std::string_view bytes) override {
    const auto run =
        run_program({"ssh-keygen", "-Y", "sign", "-f", key, "-n", std::string(purpose)}, bytes, kLongestRun);
    if (run && run->succeeded() && run->out.starts_with(kHead)) {
      return run->out;
    }
    return cannot(fmt::format("cannot sign with {}: {}", key, run ? complaint(*run) : run.error().message),
                  "KEY is a private key without a passphrase, or the public key of one that an agent holds (ssh-add)");
  }

  Result<Signer> verify(const std::string& allowed, const std::string& signature, std::string_view purpose,
                        std::string_view bytes) override {
    const std::string space(purpose);
    const auto fits =
        run_program({"ssh-keygen", "-Y", "check-novalidate", "-n", space, "-s", signature}, bytes, kLongestRun);
    if (!fits) {
      return cannot_check(fits.error());
    }
    if (!fits->succeeded()) {
      return fail(
          {told(Code::kSignatureBroken, fmt::format("{} is no signature of it: {}", signature, complaint(*fits)),
                "it was changed after it was signed, or the signature is another file's")});
    }
    const std::vector<std::string_view> said = lines_of(fits->out);
    Signer signer{{}, said.empty() ? std::string() : key_of(said.front())};
    const auto named =
        run_program({"ssh-keygen", "-Y", "find-principals", "-s", signature, "-f", allowed}, {}, kLongestRun);
    if (!named) {
      return cannot_check(named.error());
    }
    // It is also asked for each name whether the file allows it this purpose, and now.
    std::string why;
    for (const std::string_view name : lines_of(named->succeeded() ? std::string_view(named->out) : "")) {
      signer.name = std::string(name);
      const auto verified =
          run_program({"ssh-keygen", "-Y", "verify", "-n", space, "-s", signature, "-f", allowed, "-I", signer.name},
                      bytes, kLongestRun);
      if (!verified) {
        return cannot_check(verified.error());
      }
      if (verified->succeeded()) {
        return signer;
      }
      why = complaint(*verified);
    }
    return fail({told(Code::kSignerUnknown,
                      why.empty() ? fmt::format("{} allows nobody with the key that signed it, {}", allowed, signer.key)
                                  : fmt::format("{} does not allow {} with the key {} to sign it: {}", allowed,
                                                signer.name, signer.key, why),
                      "whoever signed it is to be added to that file, or somebody else is to approve and sign")});
  }
};

}  // namespace

std::unique_ptr<Signatures> make_ssh_signatures() { return std::make_unique<SshSignatures>(); }

}  // namespace gpup
