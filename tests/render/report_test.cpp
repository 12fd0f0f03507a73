#include "render/report.h"
#include "json_schema.h"
#include "render/markdown.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

using namespace gpup;
using nlohmann::json;

namespace {

constexpr const char* kGpu = "\\\\?\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3}";

/// Stops, unassigns, sets, assigns and starts one VM; a second one is only started. Its name would clear a terminal.
Plan small_plan() {
  Plan plan;
  plan.name = "east";
  plan.id = "sha256:ab";
  plan.hosts = {{"hv-1", {}}};
  plan.gpus = {{kGpu, "NVIDIA A2", 0}};
  plan.vms.resize(2);
  plan.vms[0].name = "vdi-01";
  plan.vms[0].id = "711cee18-60db-43b4-be7e-cedce5e25dd0";
  plan.vms[1].name = "vdi\x1b[2J|`02";
  plan.vms[1].id = "711cee18-60db-43b4-be7e-cedce5e25dd1";
  for (PlanVm& vm : plan.vms) {
    vm.host = 0;
  }
  plan.steps.resize(4);
  plan.steps[0].op = Op::kStopVm;
  plan.steps[0].vm = 0;
  plan.steps[1].op = Op::kSetPartitionCount;
  plan.steps[1].gpu = 0;
  plan.steps[1].from = 16;
  plan.steps[1].to = 4;
  plan.steps[2].op = Op::kStartVm;
  plan.steps[2].vm = 0;
  plan.steps[3].op = Op::kStartVm;
  plan.steps[3].vm = 1;
  return plan;
}

Report small_report() {
  Report report;
  report.steps.resize(4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    report.steps[i].step = i;
    report.steps[i].outcome = Outcome::kDone;
    report.steps[i].ended = Time(std::chrono::milliseconds(1200));
    report.steps[i].sent = true;
  }
  report.steps[1].vram = 3825205248;
  report.steps[2].assigned = report.steps[2].resolved = true;
  report.steps[2].adapter = "a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b";
  report.steps[2].gpu = kGpu;
  report.steps[2].partition_id = 0;
  report.steps[2].vram = 3825205248;
  report.steps[3].outcome = Outcome::kFailed;
  report.steps[3].message = "OperationFailed: 0x800705AA";
  report.left_off = {{"hv-1", "vdi\x1b[2J|`02", "711cee18-60db-43b4-be7e-cedce5e25dd1", "OperationFailed: 0x800705AA",
                      start_command("711cee18-60db-43b4-be7e-cedce5e25dd1")}};
  report.ended = Time(std::chrono::milliseconds(125000));
  return report;
}

/// Of a machine whose name would clear a terminal, and of the run.
std::vector<HookResult> small_hooks() {
  HookResult before;
  before.host = "hv-1";
  before.vm = "vdi\x1b[2J|`02";
  before.vm_id = "711c";
  before.step = 0;
  before.outcome = Outcome::kDone;
  before.ended = Time(std::chrono::milliseconds(1200));
  HookResult of_run;
  of_run.kind = HookKind::kOnFailure;
  of_run.message = "could not be started: \x1b[2J: No such file or directory";
  of_run.code = Code::kHookFailed;
  return {before, of_run};
}

}  // namespace

TEST_CASE("a report tells which hooks were run") {
  Report report = small_report();
  report.hooks = small_hooks();
  StringSink out;
  render_report_text(small_plan(), report, out);
  CHECK_NE(
      out.text.find("\nHooks\n"
                    "  done     hook before hv-1/vm/vdi\\u{1b}[2J|`02  (1.2 s)\n"
                    "  failed   hook on-failure: could not be started: \\u{1b}[2J: No such file or directory  (0 s)\n"),
      std::string::npos);
}

TEST_CASE("a report tells what came of each step, what was verified, and one summary") {
  StringSink out;
  render_report_text(small_plan(), small_report(), out);
  CHECK_EQ(out.text,
           "1  done     stop-vm hv-1/vm/vdi-01  (1.2 s)\n"
           "2  done     set-partition-count hv-1/gpu/NVIDIA A2 (4&18416dc3&0&0000) 16 -> 4  verified: 3648 MiB a "
           "partition  (1.2 s)\n"
           "3  done     start-vm hv-1/vm/vdi-01  resolved: partition 0 of NVIDIA A2 (4&18416dc3&0&0000), 3648 MiB  "
           "(1.2 s)\n"
           "4  failed   start-vm hv-1/vm/vdi\\u{1b}[2J|`02: OperationFailed: 0x800705AA  (1.2 s)\n"
           "\n"
           "4 steps: 3 done, 1 failed; verified: 0 assigned, 1 resolved; 1 VM left off; 2 min 5 s.\n");
}

TEST_CASE("no form of a report lets a name reach the terminal as more than text") {
  Report refused;
  refused.refusal = Refusal::kFactBroken;
  Diagnostic diagnostic;
  diagnostic.code = Code::kFactBroken;
  diagnostic.message = "hv-1: VM \x1b[31m was there, is gone";
  refused.diagnostics = {diagnostic};
  Report hooked = small_report();
  hooked.hooks = small_hooks();
  for (const Report& report : {small_report(), refused, hooked}) {
    StringSink out;
    render_report_text(small_plan(), report, out);
    render_report_markdown(small_plan(), report, kMarkdownBytes, out);
    render_report_json(small_plan(), report, out);
    CHECK_EQ(out.text.find('\x1b'), std::string::npos);
  }
}

TEST_CASE("a report as JSON is as its schema says") {
  Plan plan = small_plan();
  plan.not_checked = {{"hv-2", "no route to host"}};
  Report refused;
  refused.refusal = Refusal::kHeld;
  Report cancelled = small_report();
  cancelled.cancelled = true;
  cancelled.hooks = small_hooks();
  cancelled.restored = {{"hv-1", "vdi-01", "711c", Outcome::kDone, "", {}, {}}};
  for (const Report& report : {small_report(), refused, cancelled, Report{}}) {
    StringSink out;
    render_report_json(plan, report, out);
    CAPTURE(out.text);
    const json read = json::parse(out.text);
    CHECK_EQ(test::misfit(test::schema_text("report"), out.text), "");
    CHECK_EQ(read["exitCode"], exit_code(plan, report));
  }
}

TEST_CASE("the exit code follows from the report") {
  const Plan plan = small_plan();
  Plan partly = plan;
  partly.not_checked = {{"hv-2", "no route to host"}};
  Report done;
  done.steps.resize(1);
  done.steps[0].outcome = Outcome::kAlready;
  CHECK_EQ(exit_code(plan, done), 0);
  CHECK_EQ(exit_code(partly, done), 3);
  CHECK_EQ(exit_code(plan, small_report()), 7);
  Report hooked = done;
  hooked.hooks = small_hooks();
  CHECK_EQ(exit_code(plan, hooked), 0);  // one on failure changes nothing
  hooked.hooks[1].kind = HookKind::kAfter;
  CHECK_EQ(exit_code(plan, hooked), 7);
  Report other = small_report();
  other.cancelled = true;
  CHECK_EQ(exit_code(plan, other), 8);
  other.refusal = Refusal::kHeld;
  CHECK_EQ(exit_code(plan, other), 6);
  other.refusal = Refusal::kFactBroken;
  CHECK_EQ(exit_code(plan, other), 5);
  other.refusal = Refusal::kCannotStart;
  CHECK_EQ(exit_code(plan, other), 1);
}

TEST_CASE("an id that is not a GUID is quoted in the command that starts its machine") {
  CHECK_EQ(start_command("711CEE18-60db"), "Get-VM -Id 711CEE18-60db | Start-VM");
  CHECK_EQ(start_command("a'; rm x"), "Get-VM -Id 'a''; rm x' | Start-VM");
}
