#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sink.h"
#include "execute/report.h"
#include "execute/signatures.h"
#include "execute/who.h"
#include "plan/plan.h"

namespace gpup {

// What is kept of a run for those who ask later who changed what, when, and with whose consent. A receipt's id is
// `sha256:` and the SHA-256, in lower-case hex, of all its bytes but those 64 digits, which stand on a line of their
// own, as a plan's do. A receipt names the one before it by the SHA-256 of that file's bytes, so that none can be
// changed, left out or put elsewhere without its followers telling.

/// What a receipt says beside a plan and what became of it. Texts that are empty are `null` in it.
struct ReceiptHead {
  std::string version;      ///< of gpup
  std::string previous;     ///< `sha256:...` of the receipt before it; empty: it begins a chain
  std::string run;          ///< as `gpup history` knows it; empty: none began
  Who who;                  ///< whose run it was
  std::string commit;       ///< that was applied
  std::string commit_from;  ///< who says so: `--commit`, `GITHUB_SHA`, ...
  std::optional<Signer> plan_signer;
  std::string ignores_window;  ///< why VMs were stopped outside `policy.window`; empty: they were not
};

/// A rule or a limit that did not hold for the run.
struct Override {
  std::string by;      ///< what lets it: `policy.override`, `--ignore-window`, ...
  std::string what;    ///< what would have been refused
  std::string reason;  ///< empty where none has to be given
};
std::vector<Override> overrides_of(const Plan& plan, const ReceiptHead& head);

/// The receipt as JSON (`schemas/receipt.v1.schema.json`), a line each for what may be many.
std::string render_receipt(const Plan& plan, const Report& report, const ReceiptHead& head);

/// The same for people, of at most `most` bytes. `id` is that of the JSON.
void render_receipt_markdown(const Plan& plan, const Report& report, const ReceiptHead& head, std::string_view id,
                             std::size_t most, Sink& out);

/// The id that a receipt was written with.
std::string_view receipt_id(std::string_view receipt);

inline constexpr std::uint64_t kLargestReceipt = 1024ULL * 1024 * 1024;

/// What is read back of a receipt. Texts are empty where it says null.
struct ReadReceipt {
  std::string id;
  std::string sha256;  ///< `sha256:...` of all its bytes: by that the next one names it
  std::string previous;
  std::string run;
  std::string user;
  std::string host;
  std::string commit;
  std::string plan;
  std::string plan_name;
  std::string started;
  std::string ended;
  std::uint64_t exit_code = 0;
};

/// The receipt that `render_receipt` made. Its bytes are checked against its id first; whatever is not exactly a
/// receipt is kBadContent (kReceiptBroken), with its place in `path`.
Result<ReadReceipt> read_receipt(const std::string& text, const std::string& path);

}  // namespace gpup
