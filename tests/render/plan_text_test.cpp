#include "render/plan_text.h"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "execute/schedule.h"
#include "plan/outage.h"
#include "render/plan_failure.h"
#include "render/plan_json.h"
#include "render/plan_markdown.h"
#include "render/plan_reader.h"
#include "render/sample_plan.h"

namespace gpup {

namespace {

std::string text_of(const Plan& plan, bool full = false) {
  std::string out;
  render_plan_text(plan, PlanTextOptions{full, false, 120}, out);
  return out;
}

std::string markdown_of(const Plan& plan, bool full = false) {
  std::string out;
  render_plan_markdown(plan, PlanMarkdownOptions{full}, out);
  return out;
}

Plan saved_and_read(const Plan& plan) {
  StringSink sink;
  write_plan(plan, static_cast<Sink&>(sink));
  Result<Plan> read = read_plan(sink.text, "plan.json");
  REQUIRE(read.has_value());
  return std::move(*read);
}

/// A plan that starts `count` VMs that are off, each with a name of its own.
Plan many_starts(std::uint32_t count, TextPool& names) {
  Plan plan;
  plan.name = "many";
  plan.files = {{"many.yaml", ""}};
  plan.hosts = {{"hv-1", {}}};
  for (std::uint32_t i = 0; i < count; ++i) {
    PlanVm vm;
    vm.name = names.keep("vdi-" + std::to_string(i));
    vm.id = names.keep("id-" + std::to_string(i));
    vm.host = 0;
    vm.place = {0, i + 10, 9};
    plan.vms.push_back(vm);
    plan.facts.push_back({Subject::kVm, Property::kState, i, static_cast<std::uint32_t>(VmState::kOff)});
    plan.differences.push_back({Subject::kVm, Property::kState, i, static_cast<std::uint32_t>(VmState::kOff),
                                static_cast<std::uint32_t>(VmState::kRunning), vm.place});
    Step step;
    step.op = Op::kStartVm;
    step.reason = Reason::kPowerRunning;
    step.vm = i;
    plan.steps.push_back(step);
  }
  return plan;
}

}  // namespace

TEST_CASE("the id of a plan can be copied from its text, where there is anything to approve") {
  TextPool names;
  const Plan plan = many_starts(1, names);
  PlanTextOptions text;
  text.id = "sha256:0123";
  PlanMarkdownOptions markdown;
  markdown.id = text.id;
  std::string told;
  render_plan_text(plan, text, told);
  CHECK(told.ends_with("\n\nPlan id: sha256:0123\n"));
  told.clear();
  render_plan_markdown(plan, markdown, told);
  CHECK(told.ends_with("\n\nPlan id: `sha256:0123`\n"));
  told.clear();
  render_plan_text(Plan(), text, told);
  CHECK_EQ(told.find("sha256"), std::string::npos);
}

TEST_CASE("a plan that was made from no file does not say that its machines are not in the file") {
  TextPool names;
  Plan plan = many_starts(1, names);
  plan.files.clear();
  plan.vms[0].place = {};
  plan.differences[0].source = {};
  plan.steps[0].reason = Reason::kBefore;
  CHECK_EQ(text_of(plan), R"plan(Host hv-1
  VM vdi-0: started
      state  Off -> Running

Steps
  1  start-vm             hv-1/vm/vdi-0  the run that is rolled back changed it

Plan: 1 VM to start.
)plan");
  CHECK_EQ(markdown_of(plan).find("not in the file"), std::string::npos);
}

TEST_CASE("a plan tells people what changes on each host, then its steps, one summary line, warnings and gaps") {
  CHECK_EQ(text_of(sample_plan()), R"plan(Host hv-e1
  GPU NVIDIA A2 (4&18416dc3&0&0000)  [hci-east.yaml:15]
      partition count  16 -> 4
      partition VRAM   896 MiB -> 3648 MiB
  VM vdi-01: stopped, then started again  [hci-east.yaml:21]
      partition      NVIDIA A2 (4&18416dc3&0&0000) -> on a GPU that the host chooses
      OfflineAction  save -> force-shutdown
  VM Zürich "a\b"\u{a}\u{1b}[31m: stopped, then started again, not in the file
      partition  on no GPU yet -> none

Host hv-e2
  VM render-7: started  [dir/"pool".yaml:7]
      partition  none -> 4&2b7d6f6&0&0008
      state      Off -> Running
  VM train-1: not stopped  [dir/"pool".yaml:9]
      OfflineAction  none -> shutdown

Steps
   1  stop-vm              hv-e1/vm/vdi-01  the partition count of its GPU changes; listed at hci-east.yaml:21
   2  unassign-partition   hv-e1/vm/vdi-01  the partition count of its GPU changes; listed at hci-east.yaml:21
   3  stop-vm              hv-e1/vm/Zürich "a\b"\u{a}\u{1b}[31m  not in the file, policy.unlisted is unassign
   4  unassign-partition   hv-e1/vm/Zürich "a\b"\u{a}\u{1b}[31m  not in the file, policy.unlisted is unassign
   5  set-partition-count  hv-e1/gpu/NVIDIA A2 (4&18416dc3&0&0000)  16 -> 4  the file wants 4 partitions
   6  assign-partition     hv-e1/vm/vdi-01  the partition count of its GPU changes; listed at hci-east.yaml:21
   7  set-offline-action   hv-e1/vm/vdi-01  save -> force-shutdown
        listed at hci-east.yaml:21, OfflineAction is to be force-shutdown
   8  start-vm             hv-e1/vm/vdi-01  it was running
   9  start-vm             hv-e1/vm/Zürich "a\b"\u{a}\u{1b}[31m  it was running
  10  assign-partition     hv-e2/vm/render-7  on 4&2b7d6f6&0&0008  listed at dir/"pool".yaml:7, holds no partition
  11  start-vm             hv-e2/vm/render-7  listed at dir/"pool".yaml:7 with power running
  12  set-offline-action   hv-e2/vm/train-1  none -> shutdown
        listed at dir/"pool".yaml:9, OfflineAction is to be shutdown

Plan: 1 partition count to set, 2 VMs to stop and start again, 1 VM to start, 2 partitions to unassign, 2 partitions to assign, 2 OfflineActions to set.

hv-e1/vm/Zürich "a\b"\u{a}\u{1b}[31m: warning[GP142]: a VM that is not in the file will be stopped
     = list it, or set policy.unlisted to keep
hci-east.yaml:14:5: warning[GP144]: the model is not supported on this release

Not checked
  hv-e3: connection refused
)plan");
}

TEST_CASE("of each step people are told what is left where it fails, and what to type, whatever names it has") {
  const Plan plan = sample_plan();
  const Outage outage = expect_outage(plan, {}, [&] { return Schedule(plan, Limits{}); });
  std::string out;
  render_plan_text(plan, PlanTextOptions{false, false, 120, &outage}, out);
  for (const char* const said : {
           "\n  hv-e1/vm/Zürich \"a\\b\"\\u{a}\\u{1b}[31m  39 s",
           "\n  Sum: 1.5 VM-minutes (95%: 4.4), the longest 48 s: hv-e1/vm/vdi-01\n",
           "\n  Mixed counts: none, GPUs that should be alike are so at every step\n",
           "\n  stop-vm              NVIDIA A2  5 s     15 s        default: no guest is asked\n",
           "\n  assign-partition     -          2 s     6 s ",
           "\n   3  you are left with VM Zürich \"a\\b\"\\u{a}\\u{1b}[31m running, or on its way down; gpup looks "
           "again",
           "\n   5  you are left with NVIDIA A2 (4&18416dc3&0&0000) at 16 partitions and VM vdi-01 off, without a "
           "partition; "
           "gpup\n      starts it again without one, skips step 6 and what waits for it\n"
           "      down meanwhile: hv-e1/vm/vdi-01, hv-e1/vm/Zürich \"a\\b\"\\u{a}\\u{1b}[31m\n"
           "      by hand on hv-e1: Set-VMHostPartitionableGpu -Name '\\\\?\\PCI#VEN_10DE&",
           "\n  12  you are left with VM train-1 running, with OfflineAction none; gpup goes on with the other steps\n",
       }) {
    CAPTURE(said);
    CHECK_NE(out.find(said), std::string::npos);
  }
  const Failures failures(plan);
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    CHECK_NE(out.find(fmt::format("\n  {:>2}  you are left with ", i + 1)), std::string::npos);
    CHECK_NE(out.find("by hand on " + failures.of(i).host + ": " + failures.of(i).command + "\n"), std::string::npos);
  }
}

TEST_CASE("where like steps are told together, so is what comes of them") {
  TextPool names;
  const Plan plan = many_starts(150, names);
  const Outage outage = expect_outage(plan, {}, [&] { return Schedule(plan, Limits{}); });
  std::string out;
  render_plan_text(plan, PlanTextOptions{false, false, 120, &outage}, out);
  CHECK_NE(out.find("\n  No VM is stopped\n"), std::string::npos);
  CHECK_NE(out.find("\n    1  (149 like it) you are left with VM vdi-0 off; gpup looks again and names it\n"),
           std::string::npos);
  CHECK_EQ(out.find("VM vdi-1 off"), std::string::npos);
  out.clear();
  render_plan_text(plan, PlanTextOptions{true, false, 120, &outage}, out);
  CHECK_NE(out.find("\n  150  you are left with VM vdi-149 off;"), std::string::npos);
}

TEST_CASE("a name is one value for PowerShell, whatever quotes it holds") {
  Plan plan = sample_plan();
  plan.gpus[0].name = "GPU 'one' \xe2\x80\x98two\xe2\x80\x99 $(three) `four";
  CHECK_EQ(Failures(plan).of(4).command,
           "Set-VMHostPartitionableGpu -Name 'GPU ''one'' \xe2\x80\x98\xe2\x80\x98two\xe2\x80\x99\xe2\x80\x99 "
           "$(three) `four' -PartitionCount 4");
  plan.vms[2].id = "-Name x; Remove-VM *";
  CHECK_EQ(Failures(plan).of(9).command.substr(0, 66),
           "Get-VM -Id '-Name x; Remove-VM *' | Add-VMGpuPartitionAdapter -Ins");
  CHECK_EQ(Failures(plan).of(10).command, "Get-VM -Id '-Name x; Remove-VM *' | Start-VM");
}

TEST_CASE("an empty plan says that nothing is to do, and where nothing could be seen") {
  CHECK_EQ(text_of(Plan{}), "In desired state. Nothing to do.\n");
  CHECK_EQ(markdown_of(Plan{}), "**Plan: In desired state. Nothing to do.**\n");
  Plan gap;
  gap.not_checked = {{"hv-e3", "connection\x1b[2J refused"}};
  CHECK_EQ(text_of(gap),
           "Nothing to do on the hosts that were checked.\n\nNot checked\n  hv-e3: connection\\u{1b}[2J refused\n");
}

TEST_CASE("a saved plan is shown as it was when it was made") {
  for (const bool full : {false, true}) {
    CHECK_EQ(text_of(saved_and_read(sample_plan()), full), text_of(sample_plan(), full));
    CHECK_EQ(markdown_of(saved_and_read(sample_plan()), full), markdown_of(sample_plan(), full));
    TextPool names;
    const Plan many = many_starts(5000, names);
    CHECK_EQ(text_of(saved_and_read(many), full), text_of(many, full));
  }
}

TEST_CASE("a plan of thousands of VMs is told in a few lines, and whole if asked for") {
  TextPool names;
  const Plan many = many_starts(5000, names);
  CHECK_EQ(text_of(many), R"(Host hv-1
  5000 VMs vdi-0, vdi-1, vdi-2 and 4997 more: started  [many.yaml:10 ...]
      state  Off -> Running

Steps
     1  start-vm             5000 times, the first on hv-1/vm/vdi-0  listed at many.yaml:10 with power running

Plan: 5000 VMs to start.
Like changes are told together; --full shows each.
)");
  const std::string whole = text_of(many, true);
  CHECK(whole.find("VM vdi-4999: started  [many.yaml:5009]") != std::string::npos);
  CHECK(whole.find("5000  start-vm             hv-1/vm/vdi-4999  listed at many.yaml:5009") != std::string::npos);
}

TEST_CASE("a plan tells which programs it runs, word by word") {
  Plan plan = sample_plan();
  plan.hooks.before = {"/usr/local/bin/drain-sessions", "--wait", "a b", "$(x)"};
  plan.hooks.on_failure = {"call"};
  plan.hooks.timeout = std::chrono::seconds(90);
  CHECK(text_of(plan).find("\nHooks, run on this machine, each for 1 min 30 s at most\n"
                           "  before each stop  /usr/local/bin/drain-sessions --wait \"a b\" \"$(x)\"\n"
                           "  on failure        call\n") != std::string::npos);
  CHECK(markdown_of(plan).find("\n- before each stop: `/usr/local/bin/drain-sessions --wait \"a b\" \"$(x)\"`\n") !=
        std::string::npos);
  Plan owed;
  owed.hosts = plan.hosts;
  owed.vms = {plan.vms[0]};
  owed.vms[0].adapter_count = 0;
  owed.vms[0].new_gpu = kNone;
  owed.hooks.after = {"open"};
  owed.after_owed = {0};
  CHECK_EQ(text_of(owed).substr(0, 1), "\n");
  CHECK(text_of(owed).find("owed since an earlier run  after hv-e1/vm/vdi-01\n") != std::string::npos);
}

TEST_CASE("which owed starts a plan forgets is told, also where it does nothing else") {
  Plan plan;
  plan.hosts = sample_plan().hosts;
  plan.vms = {sample_plan().vms[0]};
  plan.vms[0].adapter_count = 0;
  plan.vms[0].new_gpu = kNone;
  plan.owed_starts = {{0, 0}};
  CHECK_EQ(text_of(plan),
           "\nOwed starts, forgotten once each VM is as planned\n"
           "  hv-e1/vm/vdi-01, recorded on hv-e1\n"
           "\nPlan: 1 owed start to forget.\n");
  CHECK(markdown_of(plan).find("\n- `hv-e1/vm/vdi-01, recorded on hv-e1`\n") != std::string::npos);
}

TEST_CASE("no name can break out of a plan for people") {
  Plan plan = sample_plan();
  const std::string evil = "a`|</details>[x](http://e.example) @everyone\n# big\x1b[31m ``` \xe2\x80\xae";
  plan.vms[0].name = evil;
  plan.hosts[0].name = "h|`" + evil;
  plan.gpus[0].model = evil;
  plan.diagnostics[0].message = evil;
  plan.not_checked[0].error = evil;
  plan.hooks.before = {evil, evil};
  plan.after_owed = {0};
  plan.owed_starts = {{0, 0}};
  const std::string text = text_of(plan);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\n# big") == std::string::npos);
  CHECK(text.find("\xe2\x80\xae") == std::string::npos);
  const std::string markdown = markdown_of(plan);
  CHECK(markdown.find("\n# big") == std::string::npos);
  CHECK(markdown.find('\x1b') == std::string::npos);
  // What a real renderer makes of it is in markdown_test.cpp.
  CHECK(markdown.find("</details>[x]") == std::string::npos);
}

}  // namespace gpup
