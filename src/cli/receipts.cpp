#include "cli/receipts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "cli/build_record.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/signed_files.h"

namespace gpup {

namespace {

/// Where pipelines say which commit they work on: GitHub, GitLab, Azure, Jenkins.
constexpr std::array<std::string_view, 4> kCommitVariables = {"GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION",
                                                              "GIT_COMMIT"};

/// A variable that holds anything else is somebody else's, and kept out of what is passed on.
bool names_commit(std::string_view text) {
  constexpr std::size_t kLeast = 7;
  constexpr std::size_t kMost = 64;
  return text.size() >= kLeast && text.size() <= kMost &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

void note_commit(const Call& call, ReceiptHead& head) {
  if (const auto given = call.line.value("commit")) {
    head.commit = *given;
    head.commit_from = "--commit";
    return;
  }
  for (const std::string_view name : kCommitVariables) {
    const auto value = call.world.env(std::string(name));
    if (value && names_commit(*value)) {
      head.commit = *value;
      head.commit_from = name;
      return;
    }
  }
}

/// The receipt to go on from, as it is named in the next.
Result<std::string> previous_receipt(const Call& call) {
  const auto path = call.line.value("previous");
  if (!path) {
    return std::string();
  }
  const auto text = call.world.read_file(std::string(*path), kLargestReceipt);
  if (!text) {
    return tl::unexpected<Error>(text.error());
  }
  auto receipt = read_receipt(*text, std::string(*path));
  if (!receipt) {
    return tl::unexpected<Error>(receipt.error());
  }
  return std::move(receipt->sha256);
}

}  // namespace

bool is_markdown_path(std::string_view path) { return path.ends_with(".md"); }

tl::expected<Receipts, int> Receipts::prepare(const Call& call, std::optional<Signer> plan_signer) {
  Receipts receipts;
  const std::vector<std::string> paths = call.line.values("receipt");
  if (paths.empty()) {
    return receipts;
  }
  ReceiptHead& head = receipts.head_;
  auto previous = previous_receipt(call);
  if (!previous) {
    return tl::unexpected(cannot_work(call, previous.error()));
  }
  head.previous = std::move(*previous);
  head.version = build_record().version;
  head.who = call.world.who();
  head.plan_signer = std::move(plan_signer);
  note_commit(call, head);
  if (const auto key = call.line.value("sign")) {
    // A key that does not work is to be found out before anything is done that needs its signature.
    if (const auto tried = call.world.signatures().sign(std::string(*key), kReceiptSignature, {}); !tried) {
      return tl::unexpected(give_up(call, tried.error(), Code::kCannotSign));
    }
  }
  receipts.files_.reserve(paths.size());
  for (const std::string& path : paths) {
    auto file = call.world.create_output(path);
    if (!file) {
      return tl::unexpected(give_up(call, file.error(), Code::kCannotWrite));
    }
    receipts.files_.push_back({path, std::move(*file)});
  }
  return receipts;
}

Result<Done> Receipts::sign(const Call& call, const std::string& path, std::string_view text) {
  const auto key = call.line.value("sign");
  if (!key) {
    return Done{};
  }
  const auto signature = call.world.signatures().sign(std::string(*key), kReceiptSignature, text);
  if (!signature) {
    return tl::unexpected<Error>(signature.error());
  }
  const auto written = write_file(call, signature_path(path), [&](OutputFile& beside) { beside.write(*signature); });
  return written ? Result<Done>(Done{}) : tl::unexpected<Error>(written.error());
}

Result<Done> Receipts::write_one(const Call& call, File& file, std::string_view text, const Plan& plan,
                                 const Report& report) {
  const bool for_people = is_markdown_path(file.path);
  if (for_people) {
    render_receipt_markdown(plan, report, head_, receipt_id(text), call.most_markdown(), *file.file);
  } else {
    file.file->write(text);
  }
  // It is worth more without a signature than not at all: it comes first.
  Result<Done> written = file.file->commit();
  return !written || for_people ? written : sign(call, file.path, text);
}

int Receipts::write(const Call& call, const Plan& plan, const Report& report, const std::string& run,
                    const std::string& ignores_window, int code) {
  if (files_.empty()) {
    return code;
  }
  head_.run = run;
  head_.ignores_window = ignores_window;
  const std::string text = render_receipt(plan, report, head_);
  int lost = kExitDone;
  for (File& file : files_) {
    if (const Result<Done> written = write_one(call, file, text, plan, report); !written) {
      lost = give_up(call, written.error(), Code::kCannotWrite);
    }
  }
  log_info("receipt {}", receipt_id(text));
  return code == kExitDone || code == kExitNotChecked ? (lost == kExitDone ? code : kExitError) : code;
}

}  // namespace gpup
