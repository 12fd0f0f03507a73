#include "model/hooks.h"

#include <doctest/doctest.h>

#include <utility>

using namespace gpup;

TEST_CASE("the words of a hook are shown so that each can be told from the next") {
  CHECK_EQ(hook_words({}), "");
  CHECK_EQ(hook_words({"/usr/local/bin/drain-sessions", "--wait=5m"}), "/usr/local/bin/drain-sessions --wait=5m");
  CHECK_EQ(hook_words({"a b", "$(c)", "'", "\"", "", "\n"}), R"x("a b" "$(c)" "'" "\"" "" "\u000a")x");
}

TEST_CASE("each kind of hook has one name, and its own program") {
  const HookPolicy hooks{{"a"}, {"b"}, {"c"}};
  const std::pair<HookKind, const char*> kinds[] = {
      {HookKind::kBefore, "a"}, {HookKind::kAfter, "b"}, {HookKind::kOnFailure, "c"}};
  for (const auto& one : kinds) {
    CAPTURE(one.second);
    CHECK(parse_hook_kind(to_string(one.first)) == one.first);
    CHECK_EQ(hooks.of(one.first).front(), one.second);
  }
  CHECK_FALSE(parse_hook_kind("onFailure"));
  CHECK_FALSE(HookPolicy{}.any());
}
