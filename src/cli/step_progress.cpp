#include "cli/step_progress.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/log.h"
#include "render/report.h"

namespace gpup {

namespace {

constexpr std::size_t kMostRows = 8;

std::string vm_path(const std::string& host, const std::string& vm) {
  return escape_terminal(host) + "/vm/" + escape_terminal(vm);
}

std::string starting_again(const std::string& host, const std::string& vm) {
  return fmt::format("starting {} again", vm_path(host, vm));
}

/// Whole seconds: they change no faster.
std::string seconds(Time from, Time to) {
  constexpr std::uint64_t kSecond = 1000;
  return human_time(static_cast<std::uint64_t>(std::max<std::int64_t>((to - from).count(), 0)) / kSecond * kSecond);
}

/// As much of a line as has room: one that wraps could not be drawn anew.
std::string cut(std::string line, std::size_t width) {
  if (display_width(line) < width) {
    return line;
  }
  while (!line.empty() && display_width(line) + 1 >= width) {
    while (line.size() > 1 && (static_cast<unsigned char>(line.back()) & 0xc0U) == 0x80U) {
      line.pop_back();
    }
    line.pop_back();
  }
  return line + "…";
}

}  // namespace

StepProgress::StepProgress(Sink& err, std::optional<Terminal> terminal, Clock now)
    : err_(err), terminal_(std::move(terminal)), now_(std::move(now)), begun_(now_()) {}

void StepProgress::erase() {
  if (drawn_ > 0) {
    err_.write(fmt::format("\x1b[{}F\x1b[J", drawn_));  // that many lines up, and clear what follows
    drawn_ = 0;
  }
}

std::string StepProgress::row(const UnderWay& one, Time now) const {
  const std::string expected =
      one.expected_ms == 0 ? std::string() : fmt::format(" of about {}", human_time(one.expected_ms));
  return fmt::format("  {} ({}{})", one.text, seconds(one.started, now), expected);
}

std::string StepProgress::last_row(Time now) const {
  std::set<std::string_view> hosts;
  for (const UnderWay& one : under_way_) {
    hosts.insert(one.host);
  }
  return fmt::format("{} of {} steps ended, {} under way on {} host{}; {}", ended_, steps_, under_way_.size(),
                     hosts.size(), hosts.size() == 1 ? "" : "s", seconds(begun_, now));
}

void StepProgress::draw() {
  if (!terminal_ || under_way_.empty()) {
    return;
  }
  const Time now = now_();
  std::string rows;
  const auto add = [&](std::string line) {
    rows += cut(std::move(line), terminal_->width) + "\n";
    ++drawn_;
  };
  for (std::size_t i = 0; i < std::min(under_way_.size(), kMostRows); ++i) {
    add(row(under_way_[i], now));
  }
  if (under_way_.size() > kMostRows) {
    add(fmt::format("  and {} more", under_way_.size() - kMostRows));
  }
  add(last_row(now));
  err_.write(rows);
}

void StepProgress::begin(UnderWay one) {
  erase();
  under_way_.push_back(std::move(one));
  draw();
}

/// `text` is what began; one that never did is only told.
void StepProgress::end(const std::string& text, const std::string& line) {
  erase();
  const auto begun =
      std::find_if(under_way_.begin(), under_way_.end(), [&](const UnderWay& one) { return one.text == text; });
  if (begun != under_way_.end()) {
    under_way_.erase(begun);
  }
  err_.write(line + "\n");
  draw();
}

void StepProgress::started(const Plan& plan, std::uint32_t step) {
  const std::lock_guard guard(mutex_);
  steps_ = plan.steps.size();
  erase();
  UnderWay one{step_line(plan, step), plan.hosts[host_of(plan, plan.steps[step])].name, 0, now_()};
  log_info("step {}: {}", step + 1, one.text);
  if (terminal_) {
    const StepTime& time = terminal_->expected.of(step);
    one.expected_ms = time.is_default() ? 0 : time.median;
  }
  begin(std::move(one));
}

void StepProgress::finished(const Plan& plan, const StepResult& result) {
  const std::lock_guard guard(mutex_);
  ++ended_;
  erase();
  const std::string line = result_line(plan, result);
  log_info("step {}: {}", result.step + 1, line);
  end(step_line(plan, result.step), fmt::format("[{}/{}] {}", ended_, plan.steps.size(), line));
}

void StepProgress::restoring(const Plan&, const Restored& begun) {
  const std::lock_guard guard(mutex_);
  begin({starting_again(begun.host, begun.vm), begun.host, 0, begun.started});
}

void StepProgress::restored(const Plan&, const Restored& restored) {
  const std::lock_guard guard(mutex_);
  end(starting_again(restored.host, restored.vm),
      fmt::format("started again: {}: {}{}{}", vm_path(restored.host, restored.vm), to_string(restored.outcome),
                  restored.message.empty() ? "" : ", ", escape_terminal(restored.message)));
}

void StepProgress::hook_started(const HookResult& begun) {
  const std::lock_guard guard(mutex_);
  log_info("{}", hook_line(begun));
  begin({hook_line(begun), begun.host, 0, begun.started});
}

void StepProgress::hook_said(const HookResult& begun, std::string_view line) {
  const std::lock_guard guard(mutex_);
  const std::string told = fmt::format("{}: {}", hook_line(begun), escape_terminal(line));
  erase();
  log_info("{}", told);
  err_.write(told + "\n");
  draw();
}

void StepProgress::hook_ended(const HookResult& hook) {
  const std::lock_guard guard(mutex_);
  const std::string told =
      fmt::format("{}: {}{}{} ({})", hook_line(hook), to_string(hook.outcome), hook.message.empty() ? "" : ", ",
                  escape_terminal(hook.message), seconds(hook.started, hook.ended));
  erase();
  log_info("{}", told);
  end(hook_line(hook), told);
}

void StepProgress::tick() {
  const std::lock_guard guard(mutex_);
  erase();
  draw();
}

}  // namespace gpup
