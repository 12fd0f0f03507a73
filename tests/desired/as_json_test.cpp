#include "desired/as_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace gpup {

TEST_CASE("documents of YAML become a list in JSON, without comments") {
  const auto text = yaml_as_json(
      "# secret\na: 1 # more\nb: [x, {c: 'd: e'}, []]\nf:\n  - g: ~\n    h: |\n      two\n      lines\n---\ni: "
      "\"\\e\"\n");
  REQUIRE(text);
  const auto json = nlohmann::json::parse(*text);
  CHECK_EQ(json.dump(), R"([{"a":"1","b":["x",{"c":"d: e"},[]],"f":[{"g":null,"h":"two\nlines\n"}]},{"i":"\u001b"}])");
  CHECK_FALSE(yaml_as_json("a: [1\n"));
  CHECK_FALSE(yaml_as_json(""));
}

TEST_CASE("comments that speak of passwords are cut off, others stay") {
  CHECK_EQ(without_secret_comments("a: 1 # the password: x\n# fine: y\n  #token: z\nb: c#password: d"),
           "a: 1 # (left out)\n# fine: y\n  # (left out)\nb: c#password: d");
}

}  // namespace gpup
