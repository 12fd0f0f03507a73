#include "base/json_writer.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>

namespace gpup {

namespace {
std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
}  // namespace

TEST_CASE("a JSON string keeps text and escapes what a terminal would obey") {
  struct Case {
    std::string text;
    std::string json;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"vdi-01", R"("vdi-01")"},
      {"exactly8", R"("exactly8")"},
      {"Z\xc3\xbcrich \xe6\x97\xa5 \xf0\x9f\x98\x80", "\"Z\xc3\xbcrich \xe6\x97\xa5 \xf0\x9f\x98\x80\""},
      {R"(\\?\PCI#VEN_10DE&DEV_25B6)", R"("\\\\?\\PCI#VEN_10DE&DEV_25B6")"},
      {R"(a "quoted" name with more)", R"("a \"quoted\" name with more")"},
      {"\x1b[31mred", R"("\u001b[31mred")"},
      {std::string("nul\0in it", 9), R"("nul\u0000in it")"},
      {"line\nbreak\ttab", R"("line\u000abreak\u0009tab")"},
      {"del\x7f", R"("del\u007f")"},
      {"abcdefg\x7f", R"("abcdefg\u007f")"},
      {"C1 \xc2\x9b", R"("C1 \u009b")"},
      {"\xe2\x80\xa8 and \xe2\x80\xa9", R"("\u2028 and \u2029")"},
      {"\xe2\x80\xae"
       "gnp.exe",
       R"("\u202egnp.exe")"},
      {"\xef\xbb\xbf"
       "bom",
       R"("\ufeffbom")"},
      // Not UTF-8: alone, cut off, overlong, a surrogate, too great.
      {"\xff", "\"\xef\xbf\xbd\""},
      {"cut\xe2\x82", "\"cut\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
      {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.json);
    CHECK_EQ(json(c.text), c.json);
    CHECK(json(c.text).size() <= json_string_bound(c.text));
  }
}

TEST_CASE("every byte is escaped alike wherever it stands in a JSON string") {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    const std::string alone = json(one);
    const std::string escaped = alone.substr(1, alone.size() - 2);
    for (std::size_t at = 0; at < 20; ++at) {
      CAPTURE(byte);
      CAPTURE(at);
      const std::string before(at, 'x');
      const std::string after(19 - at, 'y');
      CHECK_EQ(json(before + one + after), "\"" + before + escaped + after + "\"");
    }
  }
}

TEST_CASE("what a CI's runner would take for a command does not stand in JSON") {
  CHECK_EQ(json("a##vso[task.x]b"), R"("a\u0023#vso[task.x]b")");
  CHECK_EQ(json("##[error]####[x"), R"("\u0023#[error]##\u0023#[x")");
  CHECK_EQ(json("##\t##vso[\t##vs"), R"("##\u0009\u0023#vso[\u0009##vs")");
  CHECK_EQ(json("PCI#VEN#REV##vso ##"), R"("PCI#VEN#REV##vso ##")");
}

TEST_CASE("JSON numbers are exact and absent ones are null") {
  std::string out;
  append_json_number(out, 0);
  out += ' ';
  append_json_number(out, std::numeric_limits<std::uint64_t>::max());
  out += ' ';
  append_json_number_or_null(out, std::optional<std::uint32_t>());
  out += ' ';
  append_json_number_or_null(out, std::optional<std::uint32_t>(16));
  out += ' ';
  append_json_string_or_null(out, "");
  append_json_bool(out, false);
  CHECK_EQ(out, "0 18446744073709551615 null 16 nullfalse");
}

}  // namespace gpup
