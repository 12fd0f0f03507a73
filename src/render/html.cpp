#include "render/html.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "render/drift_findings.h"
#include "render/html_hosts.h"
#include "render/html_page.h"
#include "render/html_svg.h"
#include "render/html_text.h"
#include "render/outage_words.h"
#include "render/plan_json.h"
#include "render/plan_outline.h"
#include "render/report.h"

namespace gpup {

namespace {

constexpr std::size_t kMostNamed = 12;  // VMs that are named before everything else
constexpr std::size_t kMostLines = 6;   // that stand unfolded

std::string machines(std::size_t count) { return counted(count, "VM"); }

Spans performed_spans(const Plan& plan, const Report& report) {
  Spans spans(plan.steps.size());
  const auto since = [&](Time time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>((time - report.started).count(), 0));
  };
  for (const StepResult& result : report.steps) {
    if (result.started != result.ended && result.step < spans.size()) {
      spans[result.step] = {since(result.started), since(result.ended)};
    }
  }
  return spans;
}

std::vector<Filter> filters(const Fates& fates, bool drift) {
  std::vector<Filter> all;
  const auto offer = [&](Fate fate, std::string_view label) {
    if (at(fates, fate) > 0) {
      all.push_back({fate_class(fate), label});
    }
  };
  offer(Fate::kTrouble, "not as planned");
  offer(Fate::kRestarts, "restarts");
  offer(Fate::kGoesOff, drift ? "wanted off" : "stays off");
  offer(Fate::kStarts, drift ? "wanted running" : "starts");
  offer(Fate::kChanged, drift ? "differs" : "changes without a stop");
  return all;
}

std::vector<std::string> origin_lines(const Plan& plan, std::string_view id) {
  std::vector<std::string> lines;
  if (!id.empty()) {
    lines.push_back(fmt::format("Plan {}", id));
  }
  for (const PlanFile& file : plan.files) {
    lines.push_back(fmt::format("{}: sha256:{}", file.path, file.sha256));
  }
  return lines;
}

std::size_t checked_hosts(const Plan& plan) {
  return plan.hosts.size() - std::min(plan.hosts.size(), plan.not_checked.size());
}

std::string hosts_of(std::size_t some, const Plan& plan) { return fmt::format("{} of {}", some, plan.hosts.size()); }

// The page of a plan.

std::string plan_verdict(const Plan& plan, const Outage& outage, const Fates& fates) {
  if (plan.steps.empty()) {
    return plan.owed_starts.empty() ? std::string(nothing_to_do(plan)) : plan_summary(plan);
  }
  const std::size_t restarts = at(fates, Fate::kRestarts);
  const std::size_t off = at(fates, Fate::kGoesOff);
  if (restarts + off == 0) {
    return "No VM goes down.";
  }
  std::string verdict;
  if (restarts > 0) {
    verdict = restarts == 1 ? fmt::format("1 VM goes down for about {}.", human_time(outage.vms[outage.longest].median))
                            : fmt::format("{} go down and come back, none for longer than about {}.",
                                          machines(restarts), human_time(outage.vms[outage.longest].median));
  }
  if (off > 0) {
    verdict += fmt::format("{}{} and {} off.", restarts > 0 ? " " : "",
                           off == 1 ? "1 VM is stopped" : machines(off) + " are stopped", off == 1 ? "stays" : "stay");
  }
  return verdict;
}

std::string vm_minutes(std::uint64_t milliseconds) {
  constexpr std::uint64_t kTenthOfMinute = 6'000;
  const std::uint64_t tenths = (milliseconds + kTenthOfMinute / 2) / kTenthOfMinute;
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

/// The VMs that go down: the longest first, those that stay off before all.
void write_down(const Plan& plan, const Outage& outage, HostsPage& page) {
  if (outage.vms.empty()) {
    return;
  }
  std::vector<const Outage::OfVm*> vms;
  vms.reserve(outage.vms.size());
  for (const Outage::OfVm& vm : outage.vms) {
    vms.push_back(&vm);
  }
  std::stable_sort(vms.begin(), vms.end(), [](const Outage::OfVm* a, const Outage::OfVm* b) {
    return a->comes_back() != b->comes_back() ? !a->comes_back() : a->median > b->median;
  });
  const std::size_t told = std::min(vms.size(), kMostNamed);
  const std::uint64_t longest = outage.longest == kNone ? 0 : outage.vms[outage.longest].median;
  page.begin_section("down", "Who goes down");
  std::string& out = page.out();
  out += fmt::format(
      "<table class=\"down\"><caption>{}</caption>\n<thead><tr><th scope=\"col\">VM</th><th scope=\"col\">Host</th>"
      "<th scope=\"col\">Expected outage</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n",
      told < vms.size() ? fmt::format("The longest {} of {}; the rest is below, host by host", told, vms.size())
                        : std::string("From the begin of the stop to the end of the start"));
  for (std::size_t i = 0; i < told; ++i) {
    const Outage::OfVm& vm = *vms[i];
    std::string reason;
    append_reason(plan, vm.stop, reason);
    out +=
        fmt::format("<tr class=\"{}\"><th scope=\"row\"><a href=\"#v{}\"><bdi>{}</bdi></a></th><td><bdi>{}</bdi></td>",
                    vm.comes_back() ? "restarts" : "off", vm.vm, html_text(plan.vms[vm.vm].name),
                    html_text(plan.hosts[plan.vms[vm.vm].host].name));
    if (vm.comes_back()) {
      out += fmt::format("<td><b>{}</b> <small>95%: {}</small><svg aria-hidden=\"true\">{}</svg></td>",
                         human_time(vm.median), human_time(vm.p95), time_part("down", 0, vm.median, longest));
    } else {
      out += "<td><b>stays off</b></td>";
    }
    out += fmt::format("<td>{}</td></tr>\n", html_text(reason));
  }
  out += "</tbody></table>\n";
  page.end_section();
}

void write_times(const Plan& plan, const Outage& outage, HostsPage& page) {
  if (plan.steps.empty()) {
    return;
  }
  page.begin_section("times", "How the times were found");
  std::string& out = page.out();
  out +=
      "<table class=\"times\"><caption>Expected time of a step</caption>\n<thead><tr><th scope=\"col\">Step</th>"
      "<th scope=\"col\">GPU</th><th scope=\"col\">Half of them</th><th scope=\"col\">95 of 100</th>"
      "<th scope=\"col\">From</th></tr></thead>\n<tbody>\n";
  for (const StepTimeRow& row : step_time_rows(plan, outage)) {
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                       html_text(row.op), html_text(row.model), html_text(row.median), html_text(row.p95),
                       html_text(row.origin));
  }
  out += "</tbody></table>\n";
  const auto lines = mixed_lines(plan, outage);
  const bool many = lines.size() > kMostLines;
  if (many) {
    out += fmt::format("<details class=\"more\"><summary>{} places with mixed counts for a time</summary>\n",
                       lines.size());
  }
  for (const std::string& line : lines) {
    out += fmt::format("<p>{}.</p>\n", html_text(line));
  }
  out += many ? "</details>\n" : "";
  page.end_section();
}

void write_hosts(HostsPage& page, const Tale& tale) {
  page.begin_section("hosts", "Host by host");
  append_search(filters(page.fates(), tale.drift != nullptr), page.out());
  page.legend();
  page.hosts();
  page.out() += "<p id=\"nothing\" hidden>Nothing fits.</p>\n";
  page.end_section();
}

}  // namespace

void render_plan_html(const Plan& plan, const Outage& outage, const PlanHtmlOptions& options, Sink& out) {
  const Tale tale{plan, options.observed, nullptr};
  HostsPage page(tale, &outage.expected.spans, out);
  page.set_outage(outage);
  if (!folded(plan, options.full)) {
    page.tell_failures();
  }
  const auto& fates = page.fates();
  const std::size_t down = at(fates, Fate::kRestarts) + at(fates, Fate::kGoesOff);
  std::vector<Figure> figures;
  if (!plan.steps.empty()) {
    figures.push_back(
        {"VMs that go down", fmt::format("{}", down),
         at(fates, Fate::kGoesOff) == 0 ? std::string() : fmt::format("{} stay off", at(fates, Fate::kGoesOff))});
    if (outage.longest != kNone) {
      const Outage::OfVm& longest = outage.vms[outage.longest];
      figures.push_back({"longest outage", human_time(longest.median), "95%: " + human_time(longest.p95)});
      figures.push_back({"VM-minutes down", vm_minutes(outage.sum), "95%: " + vm_minutes(outage.sum_p95)});
    }
    figures.push_back({"the whole takes", human_time(page.whole()), counted(plan.steps.size(), "step")});
    figures.push_back({"hosts that change", hosts_of(page.touched_hosts(), plan), {}});
  }
  append_page_begin({"plan", plan.name, plan_verdict(plan, outage, fates),
                     down > 0            ? "note"
                     : plan.incomplete() ? "note"
                                         : "good",
                     plan.steps.empty() ? std::string() : plan_summary(plan)},
                    figures, page.out());
  write_down(plan, outage, page);
  page.notes(plan.diagnostics);
  write_hosts(page, tale);
  write_times(plan, outage, page);
  append_page_end(origin_lines(plan, plan.id.empty() ? plan_id(plan) : plan.id), page.out());
  page.flush(true);
}

void render_drift_html(const Drift& drift, const ObservedState* observed, Sink& out) {
  const Plan& plan = drift.plan;
  const Tale tale{plan, observed, nullptr, &drift};
  const Spans none;
  HostsPage page(tale, &none, out);
  const std::size_t differing = page.touched_hosts();
  std::vector<Figure> figures = {
      {"differences", fmt::format("{}", drift.counted()), causes_words(drift)},
      {"hosts that differ", hosts_of(differing, plan), {}},
      {"hosts in sync", fmt::format("{}", checked_hosts(plan) - std::min(checked_hosts(plan), differing)), {}},
      {"not checked", fmt::format("{}", plan.not_checked.size()), {}}};
  if (drift.ignored > 0) {
    figures.push_back({"ignored", fmt::format("{}", drift.ignored), "policy.ignore accepts them"});
  }
  append_page_begin({"drift",
                     plan.name,
                     drift_verdict(drift),
                     drift.counted() > 0        ? "bad"
                     : plan.not_checked.empty() ? "good"
                                                : "note",
                     {}},
                    figures, page.out());
  page.notes(drift.diagnostics);
  write_hosts(page, tale);
  append_page_end(origin_lines(plan, {}), page.out());
  page.flush(true);
}

namespace {

// The page of a run.

void write_left_off(const Report& report, HostsPage& page) {
  if (report.left_off.empty()) {
    return;
  }
  page.begin_section("left", "Left off");
  std::string& out = page.out();
  out +=
      "<table class=\"left\"><caption>VMs that ran before, and do not run now as far as is known</caption>\n<thead><tr>"
      "<th scope=\"col\">VM</th><th scope=\"col\">Host</th><th scope=\"col\">Why</th><th scope=\"col\">Start it there "
      "with</th></tr></thead>\n<tbody>\n";
  for (const LeftOff& vm : report.left_off) {
    out += fmt::format(
        "<tr class=\"off\"><th "
        "scope=\"row\"><bdi>{}</bdi></th><td><bdi>{}</bdi></td><td>{}</td><td><code>{}</code></td>"
        "</tr>\n",
        html_text(vm.vm), html_text(vm.host), html_text(vm.message), html_text(vm.command));
  }
  out += "</tbody></table>\n";
  page.end_section();
}

void write_restored(const Report& report, HostsPage& page) {
  if (report.restored.empty()) {
    return;
  }
  page.begin_section("restored", "Started again in the end");
  std::string& out = page.out();
  out += "<ul class=\"notes\">\n";
  for (const Restored& vm : report.restored) {
    out += fmt::format("<li><b>{}</b> <bdi>{}</bdi> on <bdi>{}</bdi>{}{}</li>\n", to_string(vm.outcome),
                       html_text(vm.vm), html_text(vm.host), vm.message.empty() ? "" : ": ", html_text(vm.message));
  }
  out += "</ul>\n";
  page.end_section();
}

/// To the second, with places where it may be broken.
std::string since_words(Time time) {
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kClock = 8;
  const std::string text = to_string(time);
  return fmt::format("from {} {}\xc2\xa0UTC", text.substr(0, kDate), text.substr(kDate + 1, kClock));
}

std::vector<Figure> report_figures(const Report& report) {
  std::vector<Figure> figures;
  const auto counts = count_outcomes(report);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    if (counts.at(i) > 0) {
      figures.push_back({to_string(static_cast<Outcome>(i)), counted(counts.at(i), "step"), {}});
    }
  }
  if (!report.steps.empty()) {
    figures.push_back({"VMs left off", fmt::format("{}", report.left_off.size()), {}});
    const auto took = std::max<std::int64_t>((report.ended - report.started).count(), 0);
    figures.push_back({"it took", human_time(static_cast<std::uint64_t>(took)), since_words(report.started)});
  }
  return figures;
}

}  // namespace

void render_report_html(const Plan& plan, const Report& report, Sink& out) {
  const Tale tale{plan, nullptr, &report};
  const Spans spans = performed_spans(plan, report);
  HostsPage page(tale, &spans, out);
  const int code = exit_code(plan, report);
  const bool good = code == 0 || code == 3;  // 3: all done, but not every host was checked
  append_page_begin({"report",
                     plan.name,
                     report_summary(plan, report),
                     !good               ? "bad"
                     : plan.incomplete() ? "note"
                                         : "good",
                     {}},
                    report_figures(report), page.out());
  write_left_off(report, page);
  write_restored(report, page);
  Diagnostics told = report.diagnostics;
  told.insert(told.end(), plan.diagnostics.begin(), plan.diagnostics.end());
  page.notes(told);
  if (!report.steps.empty()) {
    write_hosts(page, tale);
  }
  append_page_end(origin_lines(plan, plan.id), page.out());
  page.flush(true);
}

}  // namespace gpup
