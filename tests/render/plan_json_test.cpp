#include "render/plan_json.h"

#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "render/plan_reader.h"
#include "render/sample_plan.h"

namespace gpup {

namespace {

/// A file in memory that can be patched.
class MemoryFile : public OutputFile {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  void patch(std::uint64_t offset, std::string_view bytes) override { text.replace(offset, bytes.size(), bytes); }
  Result<Done> commit() override { return Done{}; }
  std::string text;
};

std::string written(const Plan& plan) {
  StringSink sink;
  write_plan(plan, static_cast<Sink&>(sink));
  return sink.text;
}

/// The id made good again after an edit, as somebody would who knows how it is made.
std::string with_right_id(std::string text) {
  const std::string_view mark = "\"id\": \"sha256:";
  const std::size_t at = text.find(mark) + mark.size();
  text.replace(at, 64, "");
  return text.insert(at, sha256_hex(text));
}

std::string edited(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string first_message(const Result<Plan>& result) {
  return result || result.error().diagnostics.empty() ? std::string() : result.error().diagnostics.front().message;
}

}  // namespace

TEST_CASE("a plan is the same bytes in one pass and in two, and its id is the digest of all but its digits") {
  const Plan plan = sample_plan();
  MemoryFile file;
  const std::string id = write_plan(plan, file);
  StringSink sink;
  CHECK_EQ(write_plan(plan, static_cast<Sink&>(sink)), id);
  CHECK_EQ(sink.text, file.text);
  std::string rest = file.text;
  const std::size_t at = rest.find(id) + std::string_view("sha256:").size();
  rest.erase(at, 64);
  CHECK_EQ("sha256:" + sha256_hex(rest), id);
}

TEST_CASE("a plan is one element a line, its members in the contract's order") {
  const std::string text = written(sample_plan());
  const auto document = nlohmann::ordered_json::parse(text);
  std::vector<std::string> names;
  for (const auto& member : document.items()) {
    names.push_back(member.key());
  }
  CHECK_EQ(names, std::vector<std::string>{"apiVersion", "kind", "id", "name", "desired", "hosts", "policy", "facts",
                                           "differences", "steps", "summary", "diagnostics", "notChecked"});
  CHECK(text.find("\n{\"id\":1,\"op\":\"stop-vm\",\"host\":\"hv-e1\",\"vm\":\"vdi-01\","
                  "\"vmId\":\"711cee18-60db-43b4-be7e-cedce5e25dd0\",\"after\":[],\"reason\":\"") != std::string::npos);
  CHECK(text.find(",\"op\":\"set-partition-count\",\"host\":\"hv-e1\",\"gpu\":\"\\\\\\\\?\\\\PCI#VEN_10DE&DEV_25B6&") !=
        std::string::npos);
  CHECK_EQ(document["summary"].dump(), R"({"stop-vm":2,"unassign-partition":2,"set-partition-count":1,)"
                                       R"("assign-partition":2,"set-offline-action":2,"start-vm":3})");
  CHECK_EQ(document["steps"][9]["minVram"], 3221225472U);
  CHECK(document["steps"][5]["gpu"].is_null());
  CHECK_EQ(document["differences"][1]["before"].size(), 1);
  CHECK(document["differences"][1]["after"][0].is_null());
  CHECK(document["differences"][3]["source"].is_null());
  CHECK_EQ(document["policy"]["stop"]["timeout"], "90s");
}

TEST_CASE("a plan of a cluster has its name and what its other GPUs have, also when it was read back") {
  Plan plan = sample_plan();
  plan.cluster = {"HCI-EAST \"1\"", {{"NVIDIA A2", 4, 3}, {"", kNone, 1}}};
  const std::string text = written(plan);
  CHECK_EQ(nlohmann::json::parse(text)["cluster"].dump(),
           R"({"name":"HCI-EAST \"1\"","others":[{"gpus":3,"model":"NVIDIA A2","partitionCount":4},)"
           R"({"gpus":1,"model":null,"partitionCount":null}]})");
  const Result<Plan> read = read_plan(text, "plan.json");
  CAPTURE(first_message(read));
  REQUIRE(read.has_value());
  CHECK_EQ(written(*read), text);
  CHECK_EQ(read->cluster.others.front().gpus, 3);
}

TEST_CASE("a plan has the window in which VMs may be stopped, also when it was read back") {
  Plan plan = sample_plan();
  plan.window = Window{0b1100001, 22 * 60 + 30, 4 * 60, "Europe/Berlin"};
  const std::string text = written(plan);
  const std::string part =
      R"(,"window":{"days":["mon","sat","sun"],"from":"22:30","to":"04:00","zone":"Europe/Berlin"}})";
  CHECK(text.find(part) != std::string::npos);
  const Result<Plan> read = read_plan(text, "plan.json");
  CAPTURE(first_message(read));
  REQUIRE(read.has_value());
  CHECK(read->window == plan.window);
  CHECK_EQ(written(*read), text);
}

TEST_CASE("a plan has the owed starts that it forgets, also when it was read back") {
  Plan plan = sample_plan();
  plan.hosts.push_back({"hv-e9", plan.hosts[0].connect});
  plan.owed_starts = {{0, static_cast<std::uint32_t>(plan.hosts.size() - 1)}};
  const std::string text = written(plan);
  CHECK(text.find(R"("recordedOn":"hv-e9"})") != std::string::npos);
  const Result<Plan> read = read_plan(text, "plan.json");
  CAPTURE(first_message(read));
  REQUIRE(read.has_value());
  REQUIRE_EQ(read->owed_starts.size(), 1);
  CHECK_EQ(read->vms[read->owed_starts[0].vm].name, "vdi-01");
  CHECK_EQ(read->hosts[read->owed_starts[0].host].name, "hv-e9");
  CHECK_EQ(written(*read), text);
  // Of a VM of which nothing is known it cannot be said that it is as planned.
  const std::size_t list = text.find("\"owedStarts\"");
  const std::size_t id = text.find("\"vmId\":\"", list) + 8;
  CHECK(first_message(read_plan(with_right_id(std::string(text).replace(id, 1, "0")), "plan.json"))
            .find("a VM of which") != std::string::npos);
}

TEST_CASE("a plan has its hooks, also when it was read back") {
  Plan plan = sample_plan();
  plan.hooks.before = {"/usr/local/bin/drain", "--wait", "a \"b\""};
  plan.hooks.on_failure = {"call"};
  plan.hooks.timeout = std::chrono::seconds(77);
  plan.after_owed = {0};
  const std::string text = written(plan);
  const std::string part = R"(,"hooks":{"before":["/usr/local/bin/drain","--wait","a \"b\""],"onFailure":["call"],)"
                           R"("timeout":"77s"}})";
  CHECK(text.find(part) != std::string::npos);
  CHECK(text.find("\"afterOwed\": [\n{\"host\":\"hv-e1\",\"vm\":\"vdi-01\",\"vmId\":\"711cee18-") != std::string::npos);
  const Result<Plan> read = read_plan(text, "plan.json");
  CAPTURE(first_message(read));
  REQUIRE(read.has_value());
  CHECK(read->hooks == plan.hooks);
  REQUIRE_EQ(read->after_owed.size(), 1);
  CHECK_EQ(read->vms[read->after_owed[0]].name, "vdi-01");
  CHECK_EQ(written(*read), text);
  const std::pair<std::string_view, std::string_view> wrong[] = {
      {R"("before":["/usr/local/bin/drain","--wait","a \"b\""])", R"("before":[])"},
      {R"(["call"])", R"([""])"},
      {R"(["call"])", R"(["a\u0000"])"},
      {R"("timeout":"77s")", R"("timeout":"0s")"},
      {R"("onFailure":["call"],)", R"("onFailure":["call"],"shell":["sh"],)"},
  };
  for (const auto& one : wrong) {
    CAPTURE(one.second);
    CHECK_FALSE(read_plan(with_right_id(edited(text, one.first, one.second)), "plan.json").has_value());
  }
}

TEST_CASE("a plan that was read back is written as the same bytes") {
  const std::string text = written(sample_plan());
  const Result<Plan> plan = read_plan(text, "plan.json");
  CAPTURE(first_message(plan));
  REQUIRE(plan.has_value());
  CHECK_EQ(written(*plan), text);
  CHECK(text.find(plan->id) != std::string::npos);
  CHECK_EQ(plan->vms.size(), 4);
  CHECK_EQ(plan->vms[2].new_gpu, 1);
  CHECK(plan->vms[0].was_running);
  CHECK(plan->adapters[0].removed);
  CHECK_EQ(plan->hosts, sample_plan().hosts);

  Plan hostile = sample_plan();
  hostile.vms[0].name = "a##vso[task.complete]";
  const Result<Plan> escaped = read_plan(written(hostile), "plan.json");
  CAPTURE(first_message(escaped));
  REQUIRE(escaped.has_value());
  CHECK_EQ(escaped->vms[0].name, hostile.vms[0].name);
  CHECK_EQ(written(*escaped), written(hostile));

  const std::string empty = written(Plan{});
  const Result<Plan> nothing = read_plan(empty, "plan.json");
  REQUIRE(nothing.has_value());
  CHECK_EQ(written(*nothing), empty);
}

TEST_CASE("a plan in which any one byte was changed is refused") {
  const std::string text = written(sample_plan());
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char flip : {'\x01', '\x20', '\x80'}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      const Result<Plan> plan = read_plan(changed, "plan.json");
      CAPTURE(at);
      CHECK(!plan.has_value());
    }
  }
}

TEST_CASE("a plan that was cut off anywhere, or went on, is refused") {
  const std::string text = written(sample_plan());
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK(!read_plan(text.substr(0, length), "plan.json").has_value());
  }
  CHECK(!read_plan(text + "\n", "plan.json").has_value());
  CHECK(!read_plan(text + text, "plan.json").has_value());
}

TEST_CASE("a plan with a byte too many or one too few is refused even if its id was made good") {
  const std::string text = written(sample_plan());
  std::size_t same = 0;
  for (std::size_t at = text.find("\"name\""); at < text.size(); ++at) {
    CAPTURE(at);
    // Within a name another name may be meant; then it is another plan, and must read back as what it says.
    for (const std::string& changed :
         {std::string(text).erase(at, 1), std::string(text).insert(at, 1, text[at]),
          std::string(text).insert(at, 1, '\\'), std::string(text).insert(at, 1, '\xc3')}) {
      const std::string forged = with_right_id(changed);
      const Result<Plan> plan = read_plan(forged, "plan.json");
      if (plan) {
        CHECK_EQ(written(*plan), forged);
        ++same;
      }
    }
  }
  CHECK(same > 0);
}

TEST_CASE("what is wrong with a saved plan is said in words, with its place") {
  const std::string text = written(sample_plan());
  struct Case {
    std::string name;
    std::string text;
    Code code;
    std::uint32_t line;
    std::string message;
  };
  const auto forged = [&](std::string_view from, std::string_view to) { return with_right_id(edited(text, from, to)); };
  const std::string wrong = "this is not a plan as gpup writes it: expected ";
  const Case cases[] = {
      {"empty", "", Code::kPlanSyntax, 1, "this is not a plan that gpup saved"},
      {"not JSON", "hello\n", Code::kPlanSyntax, 1, "this is not a plan that gpup saved"},
      {"another JSON", "[1, 2]", Code::kPlanSyntax, 1, "this is not a plan that gpup saved"},
      {"a snapshot", R"({"apiVersion": "gpup/v1", "kind": "Snapshot", "hosts": []})", Code::kPlanVersion, 1,
       "this is a 'Snapshot', not a plan"},
      {"a later version", edited(text, "gpup/v1", "gpup/v2"), Code::kPlanVersion, 1,
       "this plan is of version 'gpup/v2', gpup reads 'gpup/v1'"},
      {"another kind", edited(text, "\"Plan\"", "\"Plans\""), Code::kPlanVersion, 1, "this is a 'Plans', not a plan"},
      {"formatted anew", nlohmann::ordered_json::parse(text).dump(2), Code::kPlanDigest, 1,
       "this plan is not as it was written"},
      {"a count", edited(text, "\"to\":4", "\"to\":8"), Code::kPlanDigest, 4,
       "this plan was changed after it was written: its content does not give its id"},
      {"the id", edited(text, "\"id\": \"sha256:", "\"id\": \"sha256:0"), Code::kPlanDigest, 4,
       "this plan was changed after it was written: its content does not give its id"},
      {"cut off", text.substr(0, text.size() - 100), Code::kPlanDigest, 4,
       "this plan is cut off, or was changed after it was written"},
      {"a member too many", forged("{\"id\":1,\"op\"", "{\"id\":1,\"color\":1,\"op\""), Code::kPlanSyntax, 42,
       wrong + ",\"op\":\""},
      {"a repeated member", forged(",\"after\":[],\"reason\"", ",\"after\":[],\"after\":[],\"reason\""),
       Code::kPlanSyntax, 42, wrong + ",\"reason\":"},
      {"a missing member", forged(",\"source\":null}", "}"), Code::kPlanSyntax, 36, wrong + ",\"source\":"},
      {"a number as text", forged("\"to\":4", "\"to\":\"4\""), Code::kPlanSyntax, 46,
       wrong + "a whole number from 0 to 4294967294"},
      {"a negative number", forged("\"to\":4", "\"to\":-4"), Code::kPlanSyntax, 46,
       wrong + "a whole number from 0 to 4294967294"},
      {"a fraction", forged("\"to\":4", "\"to\":4.0"), Code::kPlanSyntax, 46, wrong + ",\"after\":["},
      {"a number too great", forged("\"to\":4", "\"to\":99999999999999999999999"), Code::kPlanSyntax, 46,
       wrong + "a whole number from 0 to 4294967294"},
      {"a leading zero", forged("\"to\":4", "\"to\":04"), Code::kPlanSyntax, 46,
       wrong + "a whole number from 0 to 4294967294"},
      {"no count at all", forged("\"to\":4", "\"to\":null"), Code::kPlanSyntax, 46,
       wrong + "a whole number from 0 to 4294967294"},
      {"a later step to wait for", forged("\"after\":[1]", "\"after\":[3]"), Code::kPlanSyntax, 43,
       wrong + "a whole number from 1 to 1"},
      {"itself to wait for", forged("\"after\":[1]", "\"after\":[2]"), Code::kPlanSyntax, 43,
       wrong + "a whole number from 1 to 1"},
      {"step 0 to wait for", forged("\"after\":[1]", "\"after\":[0]"), Code::kPlanSyntax, 43,
       wrong + "a whole number from 1 to 1"},
      {"the first step waits", forged("\"after\":[],\"reason\"", "\"after\":[1],\"reason\""), Code::kPlanSyntax, 42,
       wrong + "nothing for the first step to wait for"},
      {"an id left out", forged("{\"id\":2,\"op\"", "{\"id\":3,\"op\""), Code::kPlanSyntax, 43,
       wrong + "a whole number from 2 to 2"},
      {"a host that is not listed",
       forged("{\"id\":1,\"op\":\"stop-vm\",\"host\":\"hv-e1\"", "{\"id\":1,\"op\":\"stop-vm\",\"host\":\"hv-e9\""),
       Code::kPlanSyntax, 42, wrong + "a host that the plan lists under 'hosts'"},
      {"a host twice", forged("{\"name\":\"hv-e2\"", "{\"name\":\"hv-e1\""), Code::kPlanSyntax, 12,
       wrong + "each host once"},
      {"an op that is not known", forged("\"op\":\"stop-vm\"", "\"op\":\"reboot-vm\""), Code::kPlanSyntax, 42,
       wrong + "a known op"},
      {"another name for the VM",
       forged("\"op\":\"stop-vm\",\"host\":\"hv-e1\",\"vm\":\"vdi-01\"",
              "\"op\":\"stop-vm\",\"host\":\"hv-e1\",\"vm\":\"vdi-02\""),
       Code::kPlanSyntax, 42, wrong + "the name that the VM of this id has elsewhere in the plan"},
      {"a VM of which nothing is known",
       forged("\"op\":\"stop-vm\",\"host\":\"hv-e1\",\"vm\":\"vdi-01\",\"vmId\":\"7",
              "\"op\":\"stop-vm\",\"host\":\"hv-e1\",\"vm\":\"vdi-01\",\"vmId\":\"8"),
       Code::kPlanSyntax, 42, wrong + "a VM of which the plan has the fact 'state'"},
      {"an adapter that it has not", forged("\"adapter\":\"a2b5", "\"adapter\":\"b2b5"), Code::kPlanSyntax, 43,
       wrong + "an adapter that the VM's fact 'partitions' lists"},
      {"a difference that no step makes", forged("\"after\":[null]", "\"after\":[]"), Code::kPlanSyntax, 64,
       wrong + "differences that say what the steps do"},
      {"a summary that does not count", forged("\"summary\": {\"stop-vm\":2", "\"summary\": {\"stop-vm\":1"),
       Code::kPlanSyntax, 55, wrong + "a whole number from 2 to 2"},
      {"a source in no file", forged("\"source\":{\"file\":\"hci-east.yaml\"", "\"source\":{\"file\":\"x.yaml\""),
       Code::kPlanSyntax, 33, wrong + "a file that the plan lists under 'desired'"},
      {"a raw control character", forged("vdi-01", "vdi\x01"), Code::kPlanSyntax, 20,
       wrong + "a string as gpup writes it"},
      {"an escape that is not needed", forged("vdi-01", "\\u0076di-01"), Code::kPlanSyntax, 20,
       wrong + "a string as gpup writes it"},
      {"what a CI's runner obeys, as it is", forged("vdi-01", "##vso[x]"), Code::kPlanSyntax, 20,
       wrong + "a string as gpup writes it"},
      {"a surrogate", forged("vdi-01", "\\ud800"), Code::kPlanSyntax, 20, wrong + "a string as gpup writes it"},
      {"not UTF-8", forged("vdi-01", "\xc3("), Code::kPlanSyntax, 20, wrong + "a string as gpup writes it"},
      {"a transport that is not known", forged("\"transport\":\"ssh\"", "\"transport\":\"telnet\""), Code::kPlanSyntax,
       12, wrong + "a known transport"},
      {"a port too great", forged("\"port\":2222", "\"port\":70000"), Code::kPlanSyntax, 12,
       wrong + "a whole number from 0 to 65535"},
      {"a property of something else",
       forged("\"object\":\"host\",\"name\":\"hv-e1\",\"property\":\"assigned\"",
              "\"object\":\"host\",\"name\":\"hv-e1\",\"property\":\"state\""),
       Code::kPlanSyntax, 19, wrong + "a property that the object has"},
      {"more after the end", with_right_id(text + " "), Code::kPlanSyntax, 64, wrong + "the end"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Result<Plan> plan = read_plan(c.text, "plan.json");
    REQUIRE(!plan.has_value());
    CHECK_EQ(plan.error().code, ErrorCode::kBadContent);
    REQUIRE_EQ(plan.error().diagnostics.size(), 1);
    const Diagnostic& diagnostic = plan.error().diagnostics.front();
    CHECK_EQ(diagnostic.message, c.message);
    CHECK_EQ(to_string(diagnostic.code), to_string(c.code));
    CHECK_EQ(diagnostic.line, c.line);
    CHECK_EQ(diagnostic.file, "plan.json");
    CHECK(diagnostic.column >= 1);
  }
}

TEST_CASE("a plan whose line ends were changed says so") {
  std::string text = written(sample_plan());
  std::string windows;
  for (const char c : text) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  const Result<Plan> plan = read_plan(windows, "plan.json");
  REQUIRE(!plan.has_value());
  CHECK_EQ(plan.error().diagnostics.front().hint, "its line ends were changed: a plan is to be copied byte by byte");
}

}  // namespace gpup
