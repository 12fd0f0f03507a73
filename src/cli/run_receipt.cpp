#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/signed_files.h"
#include "render/receipt.h"
#include "render/receipt_check.h"

namespace gpup {

namespace {

/// A file of the chain. Where it is no receipt, `receipt` is empty: that has been told.
struct Given {
  std::string path;
  std::optional<ReadReceipt> receipt;
  std::optional<Signer> signer;
};

void add(Diagnostics& wrong, const Diagnostics& more) { wrong.insert(wrong.end(), more.begin(), more.end()); }

/// A receipt and its signature. What is wrong with its content goes to `wrong`; the error is what keeps it from being
/// looked at.
Result<Given> read_one(const Call& call, const std::string& path, Diagnostics& wrong) {
  const auto text = call.world.read_file(path, kLargestReceipt);
  if (!text) {
    return tl::unexpected<Error>(text.error());
  }
  Given given{path, {}, {}};
  auto receipt = read_receipt(*text, path);
  if (!receipt) {
    add(wrong, receipt.error().diagnostics);
    return given;
  }
  given.receipt = std::move(*receipt);
  auto signer = check_signature(call, kReceiptSignature, path, *text);
  if (signer) {
    given.signer = std::move(*signer);
  } else if (signer.error().code == ErrorCode::kBadContent && !signer.error().diagnostics.empty()) {
    add(wrong, signer.error().diagnostics);
  } else {
    return tl::unexpected<Error>(signer.error());
  }
  return given;
}

/// Holds the files, in the order given, against what each says that it goes on from.
class Chain {
 public:
  Chain(const std::vector<Given>& files, std::string_view after, Diagnostics& wrong)
      : files_(files), after_(after), wrong_(wrong) {}

  void check() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::optional<ReadReceipt>& receipt = files_[i].receipt;
      // One that is broken is told already, and what comes after it cannot be held against it.
      if (!receipt || (i > 0 && !files_[i - 1].receipt)) {
        continue;
      }
      const std::string_view wanted = i == 0 ? after_ : std::string_view(files_[i - 1].receipt->sha256);
      if (receipt->previous != wanted) {
        tell(i, *receipt);
      }
    }
  }

 private:
  void tell(std::size_t i, const ReadReceipt& receipt) {
    const auto other = std::find_if(files_.begin(), files_.end(), [&](const Given& one) {
      return one.receipt && one.receipt->sha256 == receipt.previous;
    });
    std::string message;
    if (receipt.previous.empty()) {
      message = i == 0 ? fmt::format("it begins a chain, and does not go on from {} as --after says", after_)
                       : fmt::format("it begins a chain, and is given after {}", files_[i - 1].path);
    } else if (other != files_.end()) {
      message = i == 0 ? fmt::format("it goes on from {}, and is given before it", other->path)
                       : fmt::format("it goes on from {}, and is given after {}", other->path, files_[i - 1].path);
    } else if (i == 0) {
      message = after_.empty()
                    ? fmt::format("it goes on from a receipt that is not given, {}", receipt.previous)
                    : fmt::format("it goes on from {}, not from {} as --after says", receipt.previous, after_);
    } else {
      message = fmt::format("between {} and it a receipt is missing, {}", files_[i - 1].path, receipt.previous);
    }
    Diagnostic diagnostic =
        placeless(Code::kReceiptOutOfChain, std::move(message),
                  "give all receipts, the oldest first; where older ones are kept elsewhere, --after"
                  " says what the first one given goes on from");
    diagnostic.file = files_[i].path;
    wrong_.push_back(std::move(diagnostic));
  }

  const std::vector<Given>& files_;
  std::string_view after_;
  Diagnostics& wrong_;
};

}  // namespace

int run_verify_receipt(const Call& call) {
  Diagnostics wrong;
  std::vector<Given> files;
  files.reserve(call.line.arguments.size());
  for (const std::string& path : call.line.arguments) {
    auto given = read_one(call, path, wrong);
    if (!given) {
      return cannot_work(call, given.error());
    }
    files.push_back(std::move(*given));
  }
  Chain(files, call.line.value("after").value_or(""), wrong).check();
  if (!wrong.empty()) {
    return refuse(call, wrong);
  }
  std::vector<CheckedReceipt> checked;
  checked.reserve(files.size());
  for (Given& given : files) {
    checked.push_back({std::move(given.path), std::move(*given.receipt), std::move(given.signer)});
  }
  const auto answer = [&](std::string_view form, bool, Sink& out) {
    if (form == "json") {
      render_receipt_check_json(checked, out);
    } else {
      render_receipt_check_text(checked, out);
    }
  };
  return give_answer(call, "text", answer, kExitDone);
}

}  // namespace gpup
