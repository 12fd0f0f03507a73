#include "cli/step_progress.h"

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

}  // namespace

void StepProgress::live(const std::string& text) {
  if (terminal_) {
    err_.write(fmt::format("{}{}", kClearLine, text));
  }
}

void StepProgress::line(const std::string& text) {
  err_.write(fmt::format("{}{}\n", terminal_ ? kClearLine : std::string_view(), text));
}

void StepProgress::started(const Plan& plan, std::uint32_t step) {
  log_info("step {}: {}", step + 1, step_line(plan, step));
  live(fmt::format("[{}/{}] {} ...", ended_ + 1, plan.steps.size(), step_line(plan, step)));
}

void StepProgress::finished(const Plan& plan, const StepResult& result) {
  ++ended_;
  log_info("step {}: {}", result.step + 1, result_line(plan, result));
  line(fmt::format("[{}/{}] {}", ended_, plan.steps.size(), result_line(plan, result)));
}

void StepProgress::restoring(const Plan&, const std::string& host, const std::string& vm) {
  live(fmt::format("starting {} again ...", vm_path(host, vm)));
}

void StepProgress::restored(const Plan&, const Restored& restored) {
  line(fmt::format("started again: {}: {}{}{}", vm_path(restored.host, restored.vm), to_string(restored.outcome),
                   restored.message.empty() ? "" : ", ", escape_terminal(restored.message)));
}

}  // namespace gpup
