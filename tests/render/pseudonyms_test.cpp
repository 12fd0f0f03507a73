#include "render/pseudonyms.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

using namespace gpup;
using nlohmann::json;

namespace {

Pseudonyms::Words words() {
  return {"hosts", "name",   "vms",    "id",   "state", "Running",  "gpus", "model", "message",
          "vm",    "gpu",    "vmId",   "user", "path",  "cluster",  "code", "GP172", "host",
          "hooks", "before", "policy", "vmOf", "after", "metadata", "kind", "Plan",  "identityFile"};
}

constexpr const char* kSnapshot = R"({"kind": "Plan", "cluster": "HCI-East", "hosts": [{"name": "hv-1",
  "gpus": [{"name": "\\\\?\\PCI#1", "model": "NVIDIA A2"}],
  "vms": [{"name": "a b", "id": "711cee18-60db-43b4-be7e-cedce5e25dd0", "state": "Running"},
          {"name": "Running", "id": "711cee18-60db-43b4-be7e-cedce5e25dd1", "state": "Running"}]}]})";

json written(Pseudonyms& names, const std::string& text) {
  const auto out = names.write(text);
  REQUIRE(out);
  return json::parse(*out);
}

}  // namespace

TEST_CASE("names are replaced by where they stand, words of the format are not") {
  Pseudonyms names(words());
  REQUIRE(names.learn(kSnapshot));
  const json all = written(names, kSnapshot);
  CHECK_EQ(all["kind"], "Plan");
  CHECK_EQ(all["cluster"], "cluster-1");
  CHECK_EQ(all["hosts"][0]["name"], "host-1");
  CHECK_EQ(all["hosts"][0]["gpus"][0]["name"], "gpu-1");
  CHECK_EQ(all["hosts"][0]["gpus"][0]["model"], "NVIDIA A2");
  CHECK_EQ(all["hosts"][0]["vms"][0]["name"], "vm-1");
  CHECK_EQ(all["hosts"][0]["vms"][0]["id"], "00000000-0000-4000-8000-000000000001");
  CHECK_EQ(all["hosts"][0]["vms"][0]["state"], "Running");
  CHECK_EQ(all["hosts"][0]["vms"][1]["name"], "vm-2");
}

TEST_CASE("one name has one stand-in in all documents, also where it is written with other letters") {
  Pseudonyms names(words());
  REQUIRE(names.learn(kSnapshot));
  REQUIRE(names.learn("{\"host\": \"HV-1\", \"vm\": \"a b\"}\n{\"vm\": \"new\"}\n{\"vm\": \"cut o"));
  const auto lines = names.write("{\"host\": \"HV-1\", \"vm\": \"a b\"}\n{\"vm\": \"new\"}\n{\"vm\": \"cut o");
  REQUIRE(lines);
  CHECK_EQ(*lines, "{\"host\": \"host-1\", \"vm\": \"vm-1\"}\n{\"vm\": \"vm-3\"}\n");
}

TEST_CASE("in texts known names go, and what looks like one") {
  Pseudonyms names(words());
  REQUIRE(names.learn(kSnapshot));
  REQUIRE(names.learn(R"({"user": "CONTOSO\\bob", "path": "conf/east.yaml"})"));
  struct Case {
    std::string_view text;
    std::string_view told;
  };
  const Case cases[] = {
      {"VM a b on hv-1 does not start", "VM vm-1 on host-1 does not start"},
      {"hv-10 and xhv-1 are others", "hv-10 and xhv-1 are others"},
      {"listed at conf/east.yaml:21, holds none", "listed at path-1:21, holds none"},
      {"see east.yaml:3", "see path-2:3"},
      {"bob (CONTOSO\\bob) may not", "user-2 (user-1) may not"},
      {"the cluster 'HCI-EAST'", "the cluster 'cluster-1'"},
      {"ask eve@example.com, or 10.1.2.3.", "ask text-1, or text-2."},
      {"in D:\\vms\\x and /srv/y (0f1cee18-60db-43b4-be7e-cedce5e25dd1)",
       "in text-3 and text-4 (00000000-0000-4000-8000-000000000001)"},
      {"'secret thing' is not 'gpup plan'", "'text-6' is not 'gpup plan'"},
      {"the host's own 1.5 GiB", "the host's own 1.5 GiB"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string told = names.text(c.text);
    if (c.text.find("0f1cee18") == std::string_view::npos) {
      CHECK_EQ(told, c.told);
    } else {
      CHECK_EQ(told.find("0f1cee18"), std::string::npos);
      CHECK_EQ(told.find("vms"), std::string::npos);
    }
  }
}

TEST_CASE("what no format has is no word: members and values of unknown kinds are replaced") {
  Pseudonyms names(words());
  const std::string text =
      R"({"Bob's": "hush", "code": "GP172", "state": "odd word", "policy": {"hooks": {"before": ["./drain", "--as", "bob"]}}, "path": "/srv/\"x\"", "identityFile": null, "kind": 7})";
  REQUIRE(names.learn(text));
  const json all = written(names, text);
  CHECK_EQ(all.dump().find("Bob"), std::string::npos);
  CHECK_EQ(all.dump().find("hush"), std::string::npos);
  CHECK_EQ(all.dump().find("odd"), std::string::npos);
  CHECK_EQ(all.dump().find("drain"), std::string::npos);
  CHECK_EQ(all.dump().find("srv"), std::string::npos);
  CHECK_EQ(all["code"], "GP172");
  CHECK_EQ(all["kind"], 7);
  CHECK_EQ(all["identityFile"], nullptr);
}

TEST_CASE("what is no JSON is refused") {
  Pseudonyms names(words());
  for (const char* text : {"", "hello", "{\"a\": 1", "{\"a\": 1}\nhello\n", "[1,]"}) {
    CAPTURE(text);
    CHECK_FALSE(names.learn(text));
    CHECK_FALSE(names.write(text));
  }
}
