#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/call.h"
#include "execute/report.h"
#include "execute/signatures.h"
#include "plan/plan.h"
#include "render/receipt.h"

namespace gpup {

/// The receipts of a run, as --receipt, --previous, --commit and --sign want them.
class Receipts {
 public:
  /// Before anything is touched: the files can be written, the key signs, and the receipt to go on from is one. What is
  /// wrong has been told; the error is the exit code.
  static tl::expected<Receipts, int> prepare(const Call& call, std::optional<Signer> plan_signer);

  /// Writes them, each whole or not at all. Returns `code`, or 1 where that was said to be well and one could not be
  /// written or signed.
  int write(const Call& call, const Plan& plan, const Report& report, const std::string& run,
            const std::string& ignores_window, int code);

 private:
  struct File {
    std::string path;
    std::unique_ptr<OutputFile> file;
  };

  Result<Done> write_one(const Call& call, File& file, std::string_view text, const Plan& plan, const Report& report);
  static Result<Done> sign(const Call& call, const std::string& path, std::string_view text);

  std::vector<File> files_;
  ReceiptHead head_;
};

/// True for receipts that are written for people.
bool is_markdown_path(std::string_view path);

}  // namespace gpup
