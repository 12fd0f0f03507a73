#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/agent_errors.h"
#include "adapters/agent_wire.h"
#include "adapters/said.h"
#include "adapters/temporary_folder.h"
#include "paths.h"

// What hosts were seen to print; what the agent makes of their objects is tests/powershell/samples_test.sh.

namespace gpup {

namespace {

std::string sample(const std::string& name) {
  const std::string path = std::string(kSourceFolder) + "/tests/powershell/samples/" + name;
  REQUIRE_MESSAGE(std::filesystem::exists(path), path);
  return read_text(path);
}

/// A row of errors.json as the agent hands it on.
AgentError error_of(const nlohmann::json& row) {
  AgentError error;
  error.error_id = row.at("fqid").get<std::string>();
  error.category = row.at("category").get<std::string>();
  error.message = row.at("message").get<std::string>();
  const bool missing = error.error_id == "CommandNotFoundException";
  error.reason = missing ? "unsupported" : "cmdlet";
  error.cmdlet = missing ? row.at("cmdlet").get<std::string>() : "";
  error.hresult = static_cast<std::int64_t>(-2146233088);  // 0x80131500, which says nothing
  return error;
}

}  // namespace

TEST_CASE("each recorded error has its meaning, and none is told apart by its words") {
  const std::map<std::string, Code> meanings = {
      {"vm-not-found-get-vm", Code::kStepFailed},
      {"vm-not-found-gpu", Code::kStepFailed},
      {"adapter-not-found", Code::kStepFailed},
      {"adapter-not-found-remove", Code::kStepFailed},
      {"vm-wrong-state", Code::kStepFailed},
      {"add-adapter-wrong-state", Code::kStepFailed},
      {"not-admin-get-vm", Code::kNotPermitted},
      {"not-admin-start-vm", Code::kNotPermitted},
      {"cmdlet-missing", Code::kCmdletMissing},
      {"stop-vm-noninteractive-prompt", Code::kStepFailed},
      {"start-vm-no-gpu-resource", Code::kStepFailed},
      {"start-vm-policy-blocked", Code::kStepFailed},
      {"checkpoint-blocked", Code::kStepFailed},
      {"cluster-service-down", Code::kClusterAway},
      {"cluster-rpc", Code::kClusterAway},
      {"set-count-invalid", Code::kStepFailed},
      {"set-count-in-use", Code::kStepFailed},
  };
  const nlohmann::json rows = nlohmann::json::parse(sample("errors.json"));
  CHECK_EQ(rows.size(), meanings.size());
  for (const nlohmann::json& row : rows) {
    const std::string id = row.at("id").get<std::string>();
    CAPTURE(id);
    const auto meaning = meanings.find(id);
    REQUIRE(meaning != meanings.end());
    AgentError error = error_of(row);
    const Diagnostic said = explain_refusal(kHv1, error);
    CHECK_EQ(to_string(said.code), to_string(meaning->second));
    const bool no_partition = id == "start-vm-no-gpu-resource";
    CHECK_EQ(explain_start_refusal(kHv1, error).code == Code::kNoPartition, no_partition);
    if (meaning->second != Code::kStepFailed) {
      CHECK_FALSE(said.hint.empty());
    }
    // What a step failed of, an observation cannot be read for.
    CHECK_EQ(to_string(explain_unreadable(kHv1, error).code),
             to_string(meaning->second == Code::kStepFailed ? Code::kHostUnreadable : meaning->second));
    // A host of another language says something else; numbers it says as well.
    if (!no_partition) {
      error.message = "Der Vorgang ist fehlgeschlagen.";
      CHECK_EQ(to_string(explain_refusal(kHv1, error).code), to_string(meaning->second));
    }
  }
}

TEST_CASE("a recorded error keeps the host's own words, on one line") {
  for (const nlohmann::json& row : nlohmann::json::parse(sample("errors.json"))) {
    CAPTURE(row.at("id").get<std::string>());
    const AgentError error = error_of(row);
    const std::string said = explain_refusal(kHv1, error).message;
    CHECK_EQ(said.find('\n'), std::string::npos);
    if (error.reason == "cmdlet") {
      CHECK_NE(said.find(host_text(error.message)), std::string::npos);
    }
  }
}

TEST_CASE("what Windows PowerShell wraps as CLIXML is no text for people") {
  for (const std::string name : {"stderr_clixml_progress.txt", "stderr_clixml_error.txt"}) {
    CAPTURE(name);
    CHECK_EQ(host_text(sample(name)), "");
    CHECK_EQ(host_text(sample(name) + "\r\nssh: it ended\r\n"), "ssh: it ended");
  }
}

TEST_CASE("replies are found among a byte order mark, a banner, CLIXML and CRLF, however they are cut") {
  const std::string nonce(32, 'a');
  const std::string json = R"({"id":1,"ok":true,"result":{}})";
  const std::string reply = "gpup-" + nonce + " " + std::to_string(json.size()) + ":" + json + "\r\n";
  const std::string all = "\xEF\xBB\xBF" + sample("stderr_clixml_progress.txt") + "PS C:\\> " + reply +
                          sample("stderr_clixml_error.txt") + sample("gpu_host_single_with_bom.ps51.json") + reply +
                          "\r\n" + reply;
  for (std::size_t piece = 1; piece < 80; ++piece) {
    CAPTURE(piece);
    ReplyReader reader(nonce, 1000);
    std::vector<std::string> replies;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      REQUIRE(reader.feed(std::string_view(all).substr(at, piece), replies));
    }
    CHECK_EQ(replies, std::vector<std::string>{json, json, json});
  }
}

}  // namespace gpup
