#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "execute/changes.h"
#include "render/difference_words.h"
#include "render/markdown.h"
#include "render/plan_json.h"
#include "render/plan_words.h"
#include "render/receipt.h"
#include "render/report.h"

namespace gpup {

namespace {

class ReceiptMarkdown {
 public:
  ReceiptMarkdown(const Plan& plan, const Report& report, const ReceiptHead& head, std::string_view id,
                  std::size_t most, Sink& out)
      : plan_(plan), report_(report), head_(head), id_(id), page_(out, most) {}

  void write() {
    page_.text(fmt::format("# Receipt of a run of gpup\n\n{}\n", report_summary(plan_, report_)));
    write_head();
    write_overrides();
    write_changes();
    page_.finish();
  }

 private:
  void row(const std::vector<std::string>& cells) {
    line_.clear();
    append_row(line_, cells);
    page_.line(line_);
  }
  void fact(std::string_view what, std::string cell) {
    if (!cell.empty()) {
      row({std::string(what), std::move(cell)});
    }
  }
  static std::string code(std::string_view text) { return text.empty() ? std::string() : markdown_code(text); }

  void write_head() {
    page_.begin("facts of the run", "\n| | |\n|---|---|\n");
    fact("Receipt", code(id_));
    fact("Goes on from", head_.previous.empty() ? "nothing: it begins a chain" : code(head_.previous));
    fact("Run", code(head_.run));
    fact("By", code(head_.who.user));
    fact("On", code(head_.who.host));
    fact("From", to_string(report_.started));
    fact("Until", to_string(report_.ended));
    fact("Exit code", fmt::format("{}", exit_code(plan_, report_)));
    fact("Commit", code(head_.commit));
    fact("Plan", code(plan_id(plan_)));
    fact("Plan's name", code(plan_.name));
    if (head_.plan_signer) {
      fact("Plan signed by", markdown_code(fmt::format("{} ({})", head_.plan_signer->name, head_.plan_signer->key)));
    }
    for (const PlanFile& file : plan_.files) {
      fact("File", markdown_code(fmt::format("{} sha256:{}", file.path, file.sha256)));
    }
    fact("gpup", code(head_.version));
    page_.end();
  }

  void write_overrides() {
    page_.begin("overrides", "\n| Override | What | Reason |\n|---|---|---|\n");
    for (const Override& one : overrides_of(plan_, head_)) {
      row({markdown_code(one.by), markdown_text(one.what), markdown_text(one.reason)});
    }
    page_.end();
  }

  std::string after(const DifferenceWords& words, const Difference& difference, const Change& change) const {
    if (difference.property == Property::kPartitions && change.known()) {
      std::string all;
      const std::uint32_t host = plan_.vms[difference.index].host;
      for (const std::string& gpu : change.gpus) {
        all += all.empty() ? "" : ", ";
        all += gpu.empty() ? "a partition of a GPU of the host's choice"
                           : fmt::format("a partition of {}", words.gpu_words(gpu, host));
      }
      return all.empty() ? "no partition" : all;
    }
    return change.state == Change::State::kAsWanted   ? words.value(difference, true)
           : change.state == Change::State::kAsBefore ? words.value(difference, false)
                                                      : std::string(to_string(change.state));
  }

  void write_changes() {
    const std::vector<Change> changes = changes_of(plan_, report_);
    const DifferenceWords words(plan_);
    page_.begin("changes", "\n| Host | What | Before | Wanted | After |\n|---|---|---|---|---|\n");
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (page_.is_full()) {
        page_.leave_out(1);
        continue;
      }
      const Difference& difference = plan_.differences[i];
      row({markdown_code(plan_.hosts[words.host(difference)].name), markdown_text(words.subject(difference)),
           markdown_text(words.value(difference, false)), markdown_text(words.value(difference, true)),
           markdown_text(after(words, difference, changes[i]))});
    }
    page_.end();
  }

  const Plan& plan_;
  const Report& report_;
  const ReceiptHead& head_;
  std::string_view id_;
  MarkdownPage page_;
  std::string line_;
};

}  // namespace

std::vector<Override> overrides_of(const Plan& plan, const ReceiptHead& head) {
  constexpr std::string_view kOverridden = " is overridden: ";
  std::vector<Override> all;
  for (const Diagnostic& diagnostic : plan.diagnostics) {
    if (diagnostic.code == Code::kOverridden) {
      const std::string& message = diagnostic.message;
      const std::size_t reason = message.find(kOverridden);
      all.push_back({"policy.override", message.substr(0, reason),
                     reason == std::string::npos ? std::string() : message.substr(reason + kOverridden.size())});
    } else if (diagnostic.code == Code::kNotForRoutine) {
      all.push_back({"--target or --exclude", diagnostic.message, {}});
    }
  }
  if (!head.ignores_window.empty()) {
    all.push_back({"--ignore-window", "VMs were to be stopped outside policy.window", head.ignores_window});
  }
  return all;
}

void render_receipt_markdown(const Plan& plan, const Report& report, const ReceiptHead& head, std::string_view id,
                             std::size_t most, Sink& out) {
  // The steps and what went wrong are the report's own page, in what room is left.
  StringSink first;
  ReceiptMarkdown(plan, report, head, id, most / 2, first).write();
  out.write(first.text);
  out.write("\n");
  render_report_markdown(plan, report, most - std::min(most, first.text.size() + 1), out);
}

}  // namespace gpup
