#include "render/html.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "desired/desired_state.h"
#include "execute/schedule.h"
#include "plan/drift.h"
#include "plan/outage.h"
#include "render/difference_words.h"
#include "render/html_picture.h"
#include "render/html_text.h"
#include "render/page_files.h"
#include "render/sample_plan.h"

using namespace gpup;

namespace {

Outage outage_of(const Plan& plan) {
  return expect_outage(plan, {}, [&] { return Schedule(plan, {}); });
}

std::string plan_page(const Plan& plan, const PlanHtmlOptions& options = {}) {
  StringSink sink;
  render_plan_html(plan, outage_of(plan), options, sink);
  return sink.text;
}

/// A drift in which all of the plan's differences count.
Drift drift_of(const Plan& plan) {
  static const DesiredState kDesired;
  Drift drift{plan, kDesired, {}, {}, plan.diagnostics, {}, 0};
  const DifferenceWords words(plan);
  for (std::uint32_t i = 0; i < plan.differences.size(); ++i) {
    Drifted drifted;
    drifted.difference = i;
    drifted.host = words.host(plan.differences[i]);
    drift.found.push_back(drifted);
  }
  return drift;
}

std::string drift_page(const Drift& drift) {
  StringSink sink;
  render_drift_html(drift, nullptr, sink);
  return sink.text;
}

/// A run in which each step came to an outcome, one second after the other.
Report report_of(const Plan& plan, Outcome outcome) {
  Report report;
  report.started = Time(std::chrono::seconds(1'800'000'000));
  report.ended = report.started;
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
    StepResult result;
    result.step = s;
    result.outcome = outcome;
    result.started = report.ended;
    report.ended += std::chrono::seconds(1);
    result.ended = report.ended;
    report.steps.push_back(result);
  }
  return report;
}

std::string report_page(const Plan& plan, const Report& report) {
  StringSink sink;
  render_report_html(plan, report, sink);
  return sink.text;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
    ++times;
  }
  return times;
}

}  // namespace

TEST_CASE("text from outside shows in HTML as it is and can do nothing") {
  struct Case {
    std::string_view text;
    std::string_view html;
  };
  const Case cases[] = {
      {"vdi-01", "vdi-01"},
      {"", ""},
      {"<script>", "&lt;script&gt;"},
      {"a\"b'c`d", "a&quot;b&#39;c&#96;d"},
      {"&lt;", "&amp;lt;"},
      {"hci-east.yaml:21", "hci-east.yaml:21"},
      {"::error::x", "&#58;&#58;error:&#58;x"},
      {"##vso[x]", "&#35;&#35;vso[x]"},
      {"##[group]", "&#35;&#35;[group]"},
      {"a\x1b[31m", "a\\u{1b}[31m"},
      {"a\nb", "a\\u{a}b"},
      {"\xe2\x80\xae"
       "exe",
       "\\u{202e}exe"},
      {"\xff", "\\x{ff}"},
      {"Z\xc3\xbcrich", "Z\xc3\xbcrich"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK_EQ(html_text(c.text), c.html);
  }
}

TEST_CASE("a text that is too long for its place in a picture is cut between characters") {
  CHECK_EQ(html_cut("vdi-01", 6), "vdi-01");
  CHECK_EQ(html_cut("vdi-0001", 6), "vdi-0\xe2\x80\xa6");
  CHECK_EQ(html_cut("<<<<<<<<", 4), "&lt;&lt;&lt;\xe2\x80\xa6");
  CHECK_EQ(html_cut("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87", 5), "\xe4\xb8\xad\xe6\x96\x87\xe2\x80\xa6");
}

TEST_CASE("a page is one file: its policy allows its own style and script, by their hashes, and nothing else") {
  const Plan plan = sample_plan();
  for (const std::string& page :
       {plan_page(plan), drift_page(drift_of(plan)), report_page(plan, report_of(plan, Outcome::kDone))}) {
    CHECK(page.starts_with("<!DOCTYPE html>"));
    CHECK(has(page, "default-src 'none'; style-src 'sha256-"));
    CHECK(has(page, "; script-src 'sha256-"));
    CHECK_FALSE(has(page, "unsafe"));
    CHECK_EQ(count(page, "<script>"), 1);
    CHECK_EQ(count(page, "<style>"), 1);
    CHECK_FALSE(has(page, " style=\""));
    CHECK_FALSE(has(page, "http://"));
    CHECK_FALSE(has(page, "https://"));
    CHECK_EQ(count(page, "<details"), count(page, "</details>"));
    CHECK_EQ(count(page, "<li"), count(page, "</li>") + count(page, "<link"));
    CHECK_EQ(count(page, "<section"), count(page, "</section>"));
  }
  CHECK_FALSE(has(page_script(), "</"));
  CHECK_FALSE(has(page_script(), "innerHTML"));
  CHECK_FALSE(has(page_style(), "url("));
}

TEST_CASE("the page of a plan says first who goes down, for how long and why") {
  const Plan plan = sample_plan();
  const std::string page = plan_page(plan);
  CHECK(has(page, "2 VMs go down and come back, none for longer than about "));
  const std::size_t down = page.find("Who goes down");
  REQUIRE_NE(down, std::string::npos);
  CHECK_LT(down, page.find("Host by host"));
  CHECK(has(page, "<a href=\"#v0\"><bdi>vdi-01</bdi></a>"));
  CHECK(has(page, "the partition count of its GPU changes; listed at hci-east.yaml:21"));
  CHECK(has(page, "Z\xc3\xbcrich &quot;a\\b&quot;\\u{a}\\u{1b}[31m"));
  CHECK_FALSE(has(page, "\x1b"));
  CHECK(has(page, "<b>not checked</b> <bdi>hv-e3</bdi>: connection refused"));
  CHECK(has(page, "16 \xe2\x86\x92 4 partitions"));
  CHECK(has(page, "<span class=\"bar s1\"></span>is stopped</li>"));
  CHECK(has(page, "<span class=\"bar down\"></span>is down</li>"));
  CHECK_EQ(count(page, "<svg class=\"pic\""), 4);
  CHECK_EQ(page, plan_page(plan));
}

TEST_CASE("an empty plan's page says so and shows no figures") {
  Plan plan;
  plan.name = "idle";
  const std::string page = plan_page(plan);
  CHECK(has(page, "In desired state. Nothing to do."));
  CHECK_FALSE(has(page, "Who goes down"));
  CHECK_FALSE(has(page, "class=\"figures\""));
  CHECK_FALSE(has(page, "Legend of the time axes"));
  CHECK_FALSE(has(page, "<fieldset>"));  // nothing to choose from
}

TEST_CASE("the page of a drift marks what differs in place") {
  const Plan plan = sample_plan();
  Drift drift = drift_of(plan);
  drift.runs = {"20261126T084100.250Z-4711"};
  drift.found[0].cause = Cause::kOutside;
  drift.found[0].run = 0;
  const std::string page = drift_page(drift);
  CHECK(has(page, "Drift: 7 differences (1 changed outside)"));
  CHECK(has(page, "<small>changed outside since run 20261126T084100.250Z-4711</small>"));
  CHECK(has(page, "As it is wanted"));
  CHECK(has(page, "<s>16 partitions of 896 MiB</s> <ins>4 partitions of 3648 MiB</ins>"));
  CHECK(has(page, "<code>hci-east.yaml:15</code>"));
  CHECK_FALSE(has(page, "Expected outage"));
}

TEST_CASE("the page of a drift tells what is ignored, and why") {
  const Plan plan = sample_plan();
  DesiredState desired;
  DesiredIgnore ignore;
  ignore.reason = "card <is> swapped";
  desired.policy.ignores.push_back(ignore);
  const Drift sample = drift_of(plan);
  Drift drift{plan, desired, sample.found, {}, {}, {}, 1};
  drift.found[0].ignore = 0;
  const std::string page = drift_page(drift);
  CHECK(has(page, "6 differences, 1 ignored"));
  CHECK(has(page, "card &lt;is&gt; swapped</small>"));
  CHECK(has(page, " differences, 1 ignored</span></summary>"));

  for (Drifted& drifted : drift.found) {
    drifted.ignore = 0;
  }
  drift.ignored = drift.found.size();
  const std::string all = drift_page(drift);
  CHECK(has(all, "in sync, "));
  CHECK_FALSE(has(all, " difference, "));
  CHECK_FALSE(has(all, " differences, "));
}

TEST_CASE("the page of a run shows what was reached, not what was planned") {
  const Plan plan = sample_plan();
  SUBCASE("all went well") {
    const std::string page = report_page(plan, report_of(plan, Outcome::kDone));
    CHECK(has(page, "verdict note"));  // a host was not checked
    CHECK(has(page, "After the run"));
    CHECK_FALSE(has(page, "class=\"trouble\""));
  }
  SUBCASE("nothing did") {
    Report report = report_of(plan, Outcome::kFailed);
    report.left_off.push_back({"hv-e1", "vdi-01", "711cee18-60db-43b4-be7e-cedce5e25dd0", "<no answer>", "Start-VM x"});
    const std::string page = report_page(plan, report);
    CHECK(has(page, "verdict bad"));
    CHECK(has(page, "class=\"trouble\""));
    CHECK(has(page, "<td>&lt;no answer&gt;</td><td><code>Start-VM x</code></td>"));
  }
  SUBCASE("it was refused") {
    Report report;
    report.refusal = Refusal::kFactBroken;
    const std::string page = report_page(plan, report);
    CHECK(has(page, "Nothing was touched: the plan no longer fits the hosts."));
    CHECK_FALSE(has(page, "<svg class=\"pic\""));
  }
}

TEST_CASE("a picture has each VM where it is before and after") {
  const Plan plan = sample_plan();
  SUBCASE("of a plan") {
    const Tale tale{plan};
    const std::vector<VmStory> stories = vm_stories(tale);
    CHECK_EQ(stories[0].fate, Fate::kRestarts);
    CHECK_EQ(stories[0].move, Move::kAnother);
    CHECK_EQ(stories[1].move, Move::kLoses);
    CHECK_EQ(stories[2].fate, Fate::kStarts);
    CHECK_EQ(stories[2].move, Move::kGains);
    CHECK_EQ(stories[3].fate, Fate::kChanged);
    const HostPicture picture = HostPictures(tale, stories).of(0);
    REQUIRE_EQ(picture.before.cards.size(), 1);
    CHECK_EQ(picture.before.cards[0].count, 16);
    CHECK_EQ(picture.after.cards[0].count, 4);
    CHECK(picture.after.cards[0].differs);
    CHECK_EQ(picture.before.cards[0].chips.size(), 2);  // the host has one card: an adapter that names none is on it
    CHECK_EQ(picture.after.cards[0].chips.size(), 1);
    REQUIRE_EQ(picture.after.without.size(), 1);
    CHECK_EQ(picture.after.without[0].vm, 1);
  }
  SUBCASE("of a run whose steps all failed") {
    const Report report = report_of(plan, Outcome::kFailed);
    const Tale tale{plan, nullptr, &report};
    const std::vector<VmStory> stories = vm_stories(tale);
    CHECK_EQ(stories[0].fate, Fate::kTrouble);
    CHECK_EQ(stories[0].move, Move::kStays);
    CHECK(stories[0].runs_after);
    const HostPicture picture = HostPictures(tale, stories).of(0);
    CHECK_EQ(picture.after.cards[0].count, 16);
    CHECK_EQ(picture.after.cards[0].chips.size(), 2);
  }
  SUBCASE("of a drift only what differs is marked") {
    const Drift drift = drift_of(plan);
    const Tale tale{plan, nullptr, nullptr, &drift};
    const std::vector<VmStory> stories = vm_stories(tale);
    CHECK_EQ(stories[2].fate, Fate::kStarts);
    CHECK(stories[2].runs_after);
    CHECK_EQ(stories[3].fate, Fate::kChanged);
    CHECK_EQ(stories[3].move, Move::kStays);
  }
}

TEST_CASE("VMs that a plan says nothing of are counted in its pictures") {
  Plan plan = sample_plan();
  for (Fact& fact : plan.facts) {
    if (fact.subject == Subject::kGpu && fact.property == Property::kAssigned) {
      fact.value = 4;  // one of them is vdi-01's
    }
  }
  const Tale tale{plan};
  const std::vector<VmStory> stories = vm_stories(tale);
  const HostPicture picture = HostPictures(tale, stories).of(0);
  const auto& chips = picture.before.cards[0].chips;
  const auto others = std::find_if(chips.begin(), chips.end(), [](const Chip& chip) { return chip.others > 0; });
  REQUIRE(others != chips.end());
  CHECK_EQ(others->others, 3);
  CHECK(has(plan_page(plan), "3 more, as they are"));
}

TEST_CASE("with the observed state the picture has every VM and GPU of the host") {
  const Plan plan = sample_plan();
  ObservedState observed;
  Host host;
  host.name = "HV-E1";
  Gpu gpu;
  gpu.name = plan.gpus[0].name;
  gpu.model = "NVIDIA A2";
  gpu.status = GpuStatus::kPartitioned;
  gpu.partition_count = 16;
  Gpu passed;
  passed.name = "\\\\?\\PCI#OTHER";
  passed.status = GpuStatus::kReadyForDda;
  host.gpus = {gpu, passed};
  Vm quiet;
  quiet.name = "files-01";
  quiet.id = "11111111-60db-43b4-be7e-cedce5e25dd0";
  quiet.state = VmState::kRunning;
  quiet.adapter_count = 1;
  Adapter adapter;
  adapter.gpu_name = gpu.name;
  host.adapters = {adapter};
  host.vms = {quiet};
  observed.hosts = {host};
  const Tale tale{plan, &observed};
  const std::vector<VmStory> stories = vm_stories(tale);
  const HostPicture picture = HostPictures(tale, stories).of(0);
  REQUIRE_EQ(picture.before.cards.size(), 2);
  CHECK_EQ(picture.before.cards[1].status, GpuStatus::kReadyForDda);
  REQUIRE_EQ(picture.after.cards[0].chips.size(), 1);
  CHECK_EQ(picture.after.cards[0].chips[0].name, "files-01");
  CHECK_EQ(picture.after.cards[0].chips[0].fate, Fate::kUntouched);
}
