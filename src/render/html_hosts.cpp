#include "render/html_hosts.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "render/drift_findings.h"
#include "render/html_svg.h"
#include "render/html_text.h"
#include "render/plan_outline.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

constexpr std::size_t kMostNotes = 100;
constexpr std::size_t kHostsOpen = 4;  // so many hosts are unfolded at first
constexpr std::size_t kMachinesOpen = 150;

std::uint64_t end_of(const Spans& spans) {
  std::uint64_t end = 0;
  for (const Timeline::Span& span : spans) {
    end = std::max(end, span.to);
  }
  return end;
}

}  // namespace

std::size_t at(const Fates& counts, Fate fate) { return counts.at(static_cast<std::size_t>(fate)); }

std::string time_part(std::string_view kind, std::uint64_t from, std::uint64_t to, std::uint64_t whole) {
  const double scale = whole == 0 ? 0 : 100.0 / static_cast<double>(whole);
  const double begin = static_cast<double>(from) * scale;
  const double width = std::max(static_cast<double>(to - std::min(from, to)) * scale, 0.4);
  return fmt::format(R"(<rect class="{}" x="{:.4g}%" width="{:.4g}%"/>)", kind, std::min(begin, 99.6), width);
}

HostsPage::HostsPage(const Tale& tale, const Spans* spans, Sink& sink)
    : tale_(tale),
      plan_(tale.plan),
      spans_(spans),
      whole_(spans == nullptr ? 0 : end_of(*spans)),
      sink_(sink),
      words_(tale.plan),
      stories_(vm_stories(tale)),
      pictures_(tale_, stories_),
      gpus_(tale.plan.gpus.size()),
      vms_(tale.plan.vms.size()),
      rows_(tale.plan.hosts.size()),
      differences_(tale.plan.hosts.size()) {
  for (std::uint32_t s = 0; s < plan_.steps.size(); ++s) {
    const Step& step = plan_.steps[s];
    std::vector<std::uint32_t>& steps = step.vm == kNone ? gpus_[step.gpu] : vms_[step.vm];
    if (steps.empty()) {
      rows_[host_of(plan_, step)].push_back(s);
    }
    steps.push_back(s);
  }
  if (tale.drift == nullptr) {
    for (std::uint32_t i = 0; i < plan_.differences.size(); ++i) {
      differences_[words_.host(plan_.differences[i])].push_back({&plan_.differences[i], nullptr});
    }
  } else {
    for (const Drifted& drifted : tale.drift->found) {
      differences_[drifted.host].push_back({&plan_.differences[drifted.difference], &drifted});
    }
  }
  for (const VmStory& story : stories_) {
    ++fates_.at(static_cast<std::size_t>(story.fate));
  }
}

std::size_t HostsPage::touched_hosts() const {
  std::size_t count = 0;
  for (std::size_t h = 0; h < rows_.size(); ++h) {
    count += (tale_.drift ? counted_of(h) > 0 : !rows_[h].empty()) ? 1 : 0;
  }
  return count;
}

std::size_t HostsPage::counted_of(std::size_t h) const {
  return static_cast<std::size_t>(
      std::count_if(differences_[h].begin(), differences_[h].end(),
                    [](const Differing& one) { return one.drifted == nullptr || !one.drifted->ignored(); }));
}

void HostsPage::set_outage(const Outage& outage) {
  outage_ = &outage;
  outage_of_.assign(plan_.vms.size(), kNone);
  for (std::uint32_t i = 0; i < outage.vms.size(); ++i) {
    outage_of_[outage.vms[i].vm] = i;
  }
}

void HostsPage::flush(bool all) {
  if (all || out_.size() >= kChunk) {
    sink_.write(out_);
    out_.clear();
  }
}

void HostsPage::begin_section(std::string_view id, std::string_view title) {
  out_ += fmt::format("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n", id, title);
}

void HostsPage::notes(const Diagnostics& diagnostics) {
  if (diagnostics.empty() && plan_.not_checked.empty()) {
    return;
  }
  begin_section("notes", "Take note");
  out_ += "<ul class=\"notes\">\n";
  for (const NotChecked& host : plan_.not_checked) {
    out_ += fmt::format("<li class=\"unchecked\"><b>not checked</b> <bdi>{}</bdi>: {}</li>\n", html_text(host.host),
                        html_text(host.error));
  }
  for (std::size_t i = 0; i < std::min(diagnostics.size(), kMostNotes); ++i) {
    note(diagnostics[i]);
  }
  if (diagnostics.size() > kMostNotes) {
    out_ += fmt::format("<li>and {} more</li>\n", diagnostics.size() - kMostNotes);
  }
  out_ += "</ul>\n";
  end_section();
}

void HostsPage::legend() {
  static constexpr std::array kTold = {Fate::kRestarts, Fate::kGoesOff, Fate::kStarts, Fate::kChanged, Fate::kTrouble};
  out_ += "<ul class=\"legend\" aria-label=\"Legend\">";
  for (const Fate fate : kTold) {
    if (at(fates_, fate) > 0) {
      out_ += fmt::format("<li><span class=\"swatch {}\"></span>{}</li>", fate_class(fate),
                          tale_.drift ? drift_words(fate) : fate_words(fate));
    }
  }
  for (const Move move : {Move::kGains, Move::kLoses, Move::kAnother}) {
    if (std::any_of(stories_.begin(), stories_.end(), [&](const VmStory& story) { return story.move == move; })) {
      out_ += fmt::format("<li><b aria-hidden=\"true\">{}</b> {}</li>", move_sign(move),
                          tale_.drift ? drift_words(move) : move_words(move));
    }
  }
  out_ +=
      "<li><span class=\"dot on\"></span>running</li><li><span class=\"dot\"></span>off</li>"
      "<li><span class=\"swatch free\"></span>free partition</li></ul>\n";
  if (!tale_.drift && !plan_.steps.empty()) {
    bar_legend();
  }
}

void HostsPage::hosts() {
  const bool open = plan_.hosts.size() <= kHostsOpen && plan_.vms.size() <= kMachinesOpen;
  for (std::uint32_t h = 0; h < plan_.hosts.size(); ++h) {
    host(h, open || plan_.hosts.size() == 1);
    flush();
  }
}

std::string_view HostsPage::drift_words(Fate fate) {
  return fate == Fate::kGoesOff ? "runs, is wanted off" : fate == Fate::kStarts ? "off, is wanted running" : "differs";
}

std::string_view HostsPage::drift_words(Move move) {
  return move == Move::kGains ? "lacks a partition" : move == Move::kLoses ? "holds one too many" : "holds another one";
}

void HostsPage::bar_legend() {
  struct Bar {
    std::string_view kind;
    std::string_view words;
  };
  static constexpr auto kBars = std::to_array<Bar>(
      {{"s1", "is stopped"}, {"s4", "partition count is set"}, {"s3", "partition or setting"}, {"s2", "is started"}});
  out_ += "<ul class=\"legend\" aria-label=\"Legend of the time axes\">";
  const auto tell = [&](const Bar& bar) {
    out_ += fmt::format("<li><span class=\"bar {}\"></span>{}</li>", bar.kind, bar.words);
  };
  for (const Bar& bar : kBars) {
    if (std::any_of(plan_.steps.begin(), plan_.steps.end(),
                    [&](const Step& step) { return op_class(step.op) == bar.kind; })) {
      tell(bar);
    }
  }
  if (std::any_of(plan_.steps.begin(), plan_.steps.end(), [](const Step& step) { return step.op == Op::kStopVm; })) {
    tell({"down", "is down"});
  }
  if (at(fates_, Fate::kGoesOff) > 0) {
    tell({"gone", "stays off"});
  }
  out_ += "</ul>\n";
}

void HostsPage::note(const Diagnostic& diagnostic) {
  out_ += fmt::format("<li class=\"{0}\"><b>{0} {1}</b> ", to_string(diagnostic.severity), to_string(diagnostic.code));
  if (!diagnostic.host.empty()) {
    out_ += fmt::format("<bdi>{}</bdi> ", html_text(diagnostic.host));
  }
  if (!diagnostic.name.empty()) {
    out_ += fmt::format("<bdi>{}</bdi>: ",
                        html_text(diagnostic.object == "gpu" ? short_gpu_name(diagnostic.name) : diagnostic.name));
  }
  out_ += html_text(diagnostic.message);
  if (!diagnostic.hint.empty()) {
    out_ += fmt::format("<br><i>{}</i>", html_text(diagnostic.hint));
  }
  if (!diagnostic.file.empty()) {
    out_ += fmt::format(" <code>{}:{}</code>", html_text(diagnostic.file), diagnostic.line);
  }
  out_ += "</li>\n";
}

void HostsPage::host(std::uint32_t h, bool open) {
  const HostPicture picture = pictures_.of(h);
  const bool idle = rows_[h].empty() && differences_[h].empty();
  const auto gone = std::find_if(plan_.not_checked.begin(), plan_.not_checked.end(),
                                 [&](const NotChecked& other) { return same_name(other.host, plan_.hosts[h].name); });
  const bool checked = gone == plan_.not_checked.end();
  out_ += fmt::format(
      "<section class=\"host{}\" aria-labelledby=\"h{}\"><details{}><summary><h3 id=\"h{}\"><bdi>{}</bdi></h3>"
      "<span>{}</span></summary>\n",
      !checked ? " unchecked"
      : idle   ? " idle"
               : "",
      h, open && checked && !idle ? " open" : "", h, html_text(plan_.hosts[h].name),
      !checked ? std::string("not checked") : html_text(host_line(h)));
  if (!checked) {
    out_ += fmt::format("<p>Nothing is known of it: {}</p>\n", html_text(gone->error));
  } else {
    pictures(picture, h);
    if (tale_.drift) {
      differences(h);
    } else {
      timeline(h);
    }
  }
  out_ += "</details></section>\n";
}

std::string HostsPage::host_line(std::uint32_t h) const {
  if (tale_.drift) {
    const std::size_t differ = counted_of(h);
    const std::size_t ignored = differences_[h].size() - differ;
    return (differ == 0 ? "in sync" : counted(differ, "difference")) +
           (ignored == 0 ? std::string() : fmt::format(", {} ignored", ignored));
  }
  Fates fates{};
  std::size_t counts = 0;
  std::uint64_t longest = 0;
  for (const std::uint32_t first : rows_[h]) {
    const std::uint32_t vm = plan_.steps[first].vm;
    if (vm == kNone) {
      ++counts;
      continue;
    }
    ++fates.at(static_cast<std::size_t>(stories_[vm].fate));
    if (outage_ != nullptr && outage_of_[vm] != kNone) {
      longest = std::max(longest, outage_->vms[outage_of_[vm]].median);
    }
  }
  std::vector<std::string> parts;
  const auto tell = [&](std::size_t count, std::string_view words) {
    if (count > 0) {
      parts.push_back(fmt::format("{} {}", count, words));
    }
  };
  tell(at(fates, Fate::kTrouble), "not as planned");
  tell(at(fates, Fate::kRestarts), longest == 0 ? std::string("restart") : "down for up to " + human_time(longest));
  tell(at(fates, Fate::kGoesOff), "stopped for good");
  tell(at(fates, Fate::kStarts), "started");
  tell(at(fates, Fate::kChanged), "changed without a stop");
  tell(counts, counts == 1 ? "partition count" : "partition counts");
  return parts.empty() ? "nothing changes" : fmt::format("{}", fmt::join(parts, " \xc2\xb7 "));
}

void HostsPage::pictures(const HostPicture& picture, std::uint32_t h) {
  if (!picture.known || (picture.before.cards.empty() && picture.before.without.empty() &&
                         picture.after.without.empty() && picture.before.host_chooses.empty())) {
    out_ += "<p class=\"none\">Nothing to draw.</p>\n";
    return;
  }
  const std::string& name = plan_.hosts[h].name;
  out_ += "<div class=\"pics\">";
  if (picture.same) {
    figure("As it is and stays", name, picture.before);
  } else {
    figure(tale_.drift ? "As it is" : "Before", name, picture.before);
    figure(tale_.drift ? "As it is wanted" : tale_.report != nullptr ? "After the run" : "After", name, picture.after);
  }
  out_ += "</div>\n";
}

void HostsPage::figure(std::string_view title, std::string_view host, const Side& side) {
  out_ += fmt::format("<figure><figcaption>{}</figcaption>", title);
  append_side(side, fmt::format("{}, {}: {}", host, title, side_words(side)), out_);
  out_ += "</figure>";
}

std::string HostsPage::side_words(const Side& side) {
  std::string words;
  for (const Card& card : side.cards) {
    words += fmt::format("{}{}: ", words.empty() ? "" : "; ", gpu_title(card.model, card.name));
    words += card.count ? counted(*card.count, "partition") : std::string("no partition count");
    words += fmt::format(", {}", counted(card.chips.size(), "holder"));
  }
  return words;
}

void HostsPage::axis() {
  out_ += fmt::format("<p class=\"axis\" aria-hidden=\"true\"><span>0</span><span>{}</span><span>{}</span></p>\n",
                      human_time(whole_ / 2), human_time(whole_));
}

void HostsPage::timeline(std::uint32_t h) {
  if (rows_[h].empty()) {
    return;
  }
  out_ += "<h4>Steps, as time goes by</h4>\n";
  axis();
  out_ += "<ol class=\"rows\">\n";
  for (const std::uint32_t first : rows_[h]) {
    if (plan_.steps[first].vm == kNone) {
      gpu_row(plan_.steps[first].gpu);
    } else {
      vm_row(plan_.steps[first].vm);
    }
    flush();
  }
  out_ += "</ol>\n";
}

bool HostsPage::went_wrong(const std::vector<std::uint32_t>& steps) const {
  return tale_.report != nullptr && std::any_of(steps.begin(), steps.end(), [&](std::uint32_t step) {
           return step < tale_.report->steps.size() && !ended_well(tale_.report->steps[step].outcome);
         });
}

void HostsPage::gpu_row(std::uint32_t gpu) {
  const std::vector<std::uint32_t>& steps = gpus_[gpu];
  const Step& set = plan_.steps[steps.front()];
  const bool wrong = went_wrong(steps);
  out_ += fmt::format(
      "<li class=\"gpu{}\"><details><summary><bdi>{}</bdi><span>{} \xe2\x86\x92 {} partitions</span><b>{}</b>",
      wrong ? " trouble" : "", html_text(gpu_title(plan_.gpus[gpu].model, plan_.gpus[gpu].name)),
      set.from == kNone ? std::string("?") : fmt::format("{}", set.from), set.to, wrong ? "not as planned" : "");
  bar(steps, {}, 0, 0);
  out_ += "</summary>";
  if (const PlanGpu& row = plan_.gpus[gpu]; row.vram_before && row.vram_after) {
    out_ += fmt::format("<p>{} a partition becomes {}</p>", human_size(*row.vram_before), human_size(*row.vram_after));
  }
  step_list(steps, false);
  out_ += "</details></li>\n";
}

void HostsPage::vm_row(std::uint32_t vm) {
  const VmStory& story = stories_[vm];
  const std::vector<std::uint32_t>& steps = vms_[vm];
  const Outage::OfVm* const outage =
      outage_ == nullptr || outage_of_[vm] == kNone ? nullptr : &outage_->vms[outage_of_[vm]];
  out_ += fmt::format("<li class=\"{}\" id=\"v{}\"><details><summary><bdi>{}</bdi><span>{}</span><b>{}</b>",
                      fate_class(story.fate), vm, html_text(plan_.vms[vm].name), row_words(story),
                      html_text(down_time(vm, outage)));
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  down_span(vm, from, to);
  bar(steps, story.fate == Fate::kGoesOff ? "gone" : "down", from, to);
  out_ += "</summary>";
  why(vm, outage);
  step_list(steps, true);
  out_ += "</details></li>\n";
}

std::string HostsPage::row_words(const VmStory& story) {
  const std::string_view fate = story.fate == Fate::kRestarts  ? "restarts"
                                : story.fate == Fate::kGoesOff ? "stays off"
                                : story.fate == Fate::kChanged ? ""
                                                               : fate_words(story.fate);
  const std::string_view move = move_words(story.move);
  const std::string_view between = fate.empty() || move.empty() ? "" : ", ";
  return fate.empty() && move.empty() ? std::string("a setting changes") : fmt::format("{}{}{}", fate, between, move);
}

bool HostsPage::down_span(std::uint32_t vm, std::uint64_t& from, std::uint64_t& to) const {
  bool down = false;
  for (const std::uint32_t step : vms_[vm]) {
    const Timeline::Span& span = (*spans_)[step];
    if (span.from == span.to && tale_.report != nullptr) {
      continue;
    }
    if (plan_.steps[step].op == Op::kStopVm) {
      down = true;
      from = span.from;
      to = whole_;
    } else if (down && plan_.steps[step].op == Op::kStartVm) {
      to = span.to;
    }
  }
  return down;
}

std::string HostsPage::down_time(std::uint32_t vm, const Outage::OfVm* outage) const {
  if (outage != nullptr) {
    return outage->comes_back() ? human_time(outage->median) : std::string();
  }
  if (tale_.report != nullptr && stories_[vm].fate == Fate::kRestarts) {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    return down_span(vm, from, to) ? human_time(to - from) : std::string();
  }
  return {};
}

void HostsPage::bar(const std::vector<std::uint32_t>& steps, std::string_view kind, std::uint64_t from,
                    std::uint64_t to) {
  out_ += "<svg aria-hidden=\"true\">";
  if (to > from) {
    out_ += time_part(kind, from, to, whole_);
  }
  for (const std::uint32_t step : steps) {
    const Timeline::Span& span = (*spans_)[step];
    if (span.from != span.to) {
      out_ += time_part(op_class(plan_.steps[step].op), span.from, span.to, whole_);
    }
  }
  out_ += "</svg>";
}

std::string_view HostsPage::op_class(Op op) {
  switch (op) {
    case Op::kStopVm:
      return "s1";
    case Op::kStartVm:
      return "s2";
    case Op::kSetPartitionCount:
      return "s4";
    case Op::kUnassignPartition:
    case Op::kAssignPartition:
    case Op::kSetOfflineAction:
      break;
  }
  return "s3";
}

std::string HostsPage::held_words(const std::vector<std::string_view>& gpus, std::uint32_t host) const {
  if (gpus.empty()) {
    return "no partition";
  }
  std::vector<std::string> names;
  names.reserve(gpus.size());
  for (const std::string_view gpu : gpus) {
    names.push_back(gpu.empty() ? std::string("a GPU that the host chooses") : words_.gpu_words(gpu, host));
  }
  return fmt::format("{} of {}", gpus.size() == 1 ? "a partition" : fmt::format("{} partitions", gpus.size()),
                     fmt::join(names, " and "));
}

void HostsPage::why(std::uint32_t vm, const Outage::OfVm* outage) {
  const VmStory& story = stories_[vm];
  std::string reason;
  append_reason(plan_, vms_[vm].front(), reason);
  out_ += fmt::format("<p>Why: {}.", html_text(reason));
  if (outage != nullptr && outage->comes_back()) {
    out_ +=
        fmt::format(" Down for {}, 95 of 100 times at most {}.", human_time(outage->median), human_time(outage->p95));
  }
  out_ += "</p>";
  if (story.move != Move::kStays) {
    out_ += fmt::format("<p>Holds {}; then {}.</p>", html_text(held_words(story.before, plan_.vms[vm].host)),
                        html_text(held_words(story.after, plan_.vms[vm].host)));
  }
}

std::string HostsPage::span_words(std::uint32_t step) const {
  const Timeline::Span& span = (*spans_)[step];
  return tale_.report != nullptr && span.from == span.to
             ? std::string()
             : fmt::format("{}\xe2\x80\x93{}", human_time(span.from), human_time(span.to));
}

void HostsPage::step_list(const std::vector<std::uint32_t>& steps, bool reasons) {
  std::string before;
  if (reasons) {
    append_reason(plan_, steps.front(), before);
  }
  out_ += "<ol>";
  for (const std::uint32_t index : steps) {
    const Step& step = plan_.steps[index];
    out_ += fmt::format("<li value=\"{}\"><b>{}</b> {}", index + 1ULL, to_string(step.op), span_words(index));
    if (step.op == Op::kSetOfflineAction) {
      out_ += fmt::format(" {} \xe2\x86\x92 {}",
                          step.from == kNone ? "none" : to_string(static_cast<OfflineAction>(step.from)),
                          to_string(static_cast<OfflineAction>(step.to)));
    }
    std::string reason;
    append_reason(plan_, index, reason);
    if (reason != before) {
      out_ += fmt::format(" <i>{}</i>", html_text(reason));
      before = std::move(reason);
    }
    outcome(index);
    failure(index);
    out_ += "</li>";
  }
  out_ += "</ol>";
}

void HostsPage::outcome(std::uint32_t index) {
  if (tale_.report == nullptr || index >= tale_.report->steps.size()) {
    return;
  }
  const StepResult& result = tale_.report->steps[index];
  out_ += fmt::format(" <em class=\"{0}\">{0}</em>", to_string(result.outcome));
  if (!result.message.empty()) {
    out_ += fmt::format(" {}", html_text(result.message));
  }
  if (!result.hint.empty()) {
    out_ += fmt::format(" <i>{}</i>", html_text(result.hint));
  }
}

void HostsPage::failure(std::uint32_t index) {
  if (!failures_) {
    return;
  }
  const Failure failure = failures_->of(index);
  out_ += fmt::format("<small>Where it fails you are left with {}; gpup {}.", html_text(failure.left),
                      html_text(failure.gpup));
  if (!failure.command.empty()) {
    out_ +=
        fmt::format(" By hand, on <bdi>{}</bdi>: <code>{}</code>", html_text(failure.host), html_text(failure.command));
  }
  out_ += "</small>";
}

void HostsPage::differences(std::uint32_t h) {
  if (differences_[h].empty()) {
    return;
  }
  out_ += "<h4>What differs</h4>\n<ul class=\"rows differ\">\n";
  for (const auto& [difference, drifted] : differences_[h]) {
    const std::string source = words_.source(*difference);
    out_ += fmt::format("<li class=\"{}\"><bdi>{}</bdi><span><s>{}</s> <ins>{}</ins>{}</span><code>{}</code></li>\n",
                        difference->subject == Subject::kVm ? fate_class(stories_[difference->index].fate) : "gpu",
                        html_text(words_.subject(*difference)), html_text(words_.value(*difference, false)),
                        html_text(words_.value(*difference, true)), drifted == nullptr ? "" : why(*drifted),
                        source.empty() ? "(default)" : html_text(source));
    flush();
  }
  out_ += "</ul>\n";
}

std::string HostsPage::why(const Drifted& drifted) const {
  std::string words;
  if (drifted.ignored()) {
    append_ignore(words, tale_.drift->desired.policy.ignores[drifted.ignore]);
  } else {
    append_cause(words, *tale_.drift, drifted);
  }
  return words.empty() ? words : fmt::format(" <small>{}</small>", html_text(words));
}

}  // namespace gpup
