#include "render/doctor.h"

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace gpup {

namespace {

Check check_named(std::string_view id) {
  for (const Check& check : doctor_checks()) {
    if (check.id == id) {
      return check;
    }
  }
  FAIL("no check " << id);
  return {};
}

CheckResult result(std::string_view id, std::string host, std::string name, Verdict verdict, std::string seen,
                   std::string mend = {}) {
  CheckResult made;
  made.check = check_named(id);
  made.host = std::move(host);
  made.name = std::move(name);
  made.verdict = verdict;
  made.seen = std::move(seen);
  made.mend = std::move(mend);
  return made;
}

Checkup sample() {
  Checkup checkup;
  checkup.name = "lab";
  checkup.results = {
      result("cluster", "", "HCI", Verdict::kPass, "hv-1"),
      result("reachable", "hv-1", "", Verdict::kPass, "answers by transport local"),
      result("elevated", "hv-1", "", Verdict::kFail, "the session is not elevated", "log in as an administrator"),
      result("partitionable", "hv-1", "GPU-1", Verdict::kNotChecked, "Zugriff\r\nverweigert", "mend it"),
      result("R03", "hv-1", "vdi-01", Verdict::kPass, "generation 2"),
      result("R10", "hv-1", "vdi-01", Verdict::kWarn, "on", "switch it off"),
      result("R03", "hv-1", "vdi-02", Verdict::kPass, "generation 2"),
      result("R10", "hv-1", "vdi-02", Verdict::kPass, "off"),
      result("R03", "hv-1", "vdi-03", Verdict::kPass, "generation 2"),
      result("R10", "hv-1", "vdi-03", Verdict::kPass, "off"),
      result("reachable", "hv-2", "", Verdict::kFail, "no way there", "find one"),
  };
  checkup.results[3].model = "NVIDIA A2";
  checkup.results.back().code = Code::kHostUnreadable;
  checkup.left_out = {{"modules", "a lab is silent"}, {"guest", "no cmdlet tells"}, {"clock", "a lab is silent"}};
  return checkup;
}

std::string text_of(const Checkup& checkup, DoctorForm form = {}) {
  StringSink sink;
  render_doctor_text(checkup, form, sink);
  return sink.text;
}

std::string json_of(const Checkup& checkup, int code) {
  StringSink sink;
  write_doctor_json(checkup, code, sink);
  return sink.text;
}

}  // namespace

TEST_CASE("a checkup is a table for each cluster, host, GPU and VM") {
  CHECK_EQ(text_of(sample()),
           "Cluster HCI\n"
           "  pass         cluster             hv-1\n"
           "\n"
           "hv-1\n"
           "  pass         reachable           answers by transport local\n"
           "  fail         elevated            the session is not elevated\n"
           "                                   = log in as an administrator\n"
           "  GPU NVIDIA A2 (GPU-1)\n"
           "    not checked  partitionable       Zugriff verweigert\n"
           "                                     = mend it\n"
           "  VM vdi-01\n"
           "    warn         R10 dynamic-memory  on\n"
           "                                     = switch it off\n"
           "    pass         1 more check\n"
           "  2 VMs: vdi-02, vdi-03\n"
           "    pass         2 checks\n"
           "\n"
           "hv-2\n"
           "  fail         reachable           GP170: no way there\n"
           "                                   = find one\n"
           "\n"
           "Left out, since a lab is silent: modules, clock.\n"
           "Left out, since no cmdlet tells: guest.\n"
           "\n"
           "11 checks: 7 pass, 1 warn, 2 fail, 1 not checked.\n");
}

TEST_CASE("--full shows what passes of VMs as well") {
  const std::string text = text_of(sample(), {true, false});
  CHECK_NE(text.find("  VM vdi-02\n"
                     "    pass         R03 generation      generation 2\n"
                     "    pass         R10 dynamic-memory  off\n"),
           std::string::npos);
}

TEST_CASE("a checkup in colours has the same words") {
  std::string text = text_of(sample(), {false, true});
  for (std::size_t at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b')) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  CHECK_EQ(text, text_of(sample()));
}

TEST_CASE("what a host says is escaped, on one line, and not longer than a person reads") {
  Checkup checkup;
  checkup.results = {result("R10", "h\x1b[2J", "vm\n##vso[task.complete]", Verdict::kWarn,
                            std::string(499, 'x') + "\xc3\xa9" + std::string(10'000, 'y'), "a\x1b]0;b")};
  checkup.results.front().vm_id = "1";
  const std::string text = text_of(checkup);
  CHECK_EQ(text.find('\x1b'), std::string::npos);
  CHECK_NE(text.find("VM vm \\u{23}#vso[task.complete]"), std::string::npos);
  CHECK_NE(text.find("xxx...\n"), std::string::npos);
  CHECK_EQ(json_of(checkup, 0).find('\x1b'), std::string::npos);
  CHECK_EQ(nlohmann::json::parse(json_of(checkup, 0))["checks"][0]["name"], "vm\n##vso[task.complete]");
}

TEST_CASE("a checkup as json has every check with its sums") {
  const auto document = nlohmann::json::parse(json_of(sample(), 4));
  CHECK_EQ(document["kind"], "Doctor");
  CHECK_EQ(document["exitCode"], 4);
  CHECK_EQ(document["checks"].size(), 11);
  CHECK_EQ(document["checks"][0]["host"], nullptr);
  CHECK_EQ(document["checks"][3]["verdict"], "not-checked");
  CHECK_EQ(document["checks"][5]["check"], "R10");
  CHECK_EQ(document["checks"][5]["certainty"], "seen");
  CHECK_EQ(document["checks"][10]["code"], "GP170");
  CHECK_EQ(document["leftOut"].size(), 3);
  CHECK_EQ(document["leftOut"][1], nlohmann::json({{"check", "guest"}, {"why", "no cmdlet tells"}}));
  CHECK_EQ(document["summary"], nlohmann::json({{"pass", 7}, {"warn", 1}, {"fail", 2}, {"notChecked", 1}}));
}

}  // namespace gpup
