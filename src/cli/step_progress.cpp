#include "cli/step_progress.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/log.h"
#include "render/report.h"

namespace gpup {

namespace {

constexpr std::string_view kClearLine = "\r\x1b[2K";

std::string vm_path(const std::string& host, const std::string& vm) {
  return escape_terminal(host) + "/vm/" + escape_terminal(vm);
}

std::string starting_again(const std::string& host, const std::string& vm) {
  return fmt::format("starting {} again", vm_path(host, vm));
}

}  // namespace

void StepProgress::live() {
  if (!terminal_ || under_way_.empty()) {
    return;
  }
  const std::size_t more = under_way_.size() - 1;
  err_.write(fmt::format("{}{} ...{}", kClearLine, under_way_.front(),
                         more == 0 ? std::string() : fmt::format(" and {} more", more)));
}

void StepProgress::begin(std::string text) {
  under_way_.push_back(std::move(text));
  live();
}

/// `text` is what began; one that never did is only told.
void StepProgress::end(const std::string& text, const std::string& line) {
  if (const auto begun = std::find(under_way_.begin(), under_way_.end(), text); begun != under_way_.end()) {
    under_way_.erase(begun);
  }
  err_.write(fmt::format("{}{}\n", terminal_ ? kClearLine : std::string_view(), line));
  live();
}

void StepProgress::started(const Plan& plan, std::uint32_t step) {
  std::string text = step_line(plan, step);
  log_info("step {}: {}", step + 1, text);
  begin(std::move(text));
}

void StepProgress::finished(const Plan& plan, const StepResult& result) {
  ++ended_;
  const std::string line = result_line(plan, result);
  log_info("step {}: {}", result.step + 1, line);
  end(step_line(plan, result.step), fmt::format("[{}/{}] {}", ended_, plan.steps.size(), line));
}

void StepProgress::restoring(const Plan&, const Restored& begun) { begin(starting_again(begun.host, begun.vm)); }

void StepProgress::restored(const Plan&, const Restored& restored) {
  end(starting_again(restored.host, restored.vm),
      fmt::format("started again: {}: {}{}{}", vm_path(restored.host, restored.vm), to_string(restored.outcome),
                  restored.message.empty() ? "" : ", ", escape_terminal(restored.message)));
}

}  // namespace gpup
