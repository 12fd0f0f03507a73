#include "adapters/agent_wire.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/agent_script.h"

namespace gpup {

namespace {

using Trouble = ReplyReader::Trouble;

constexpr std::string_view kNonce = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kMarker = "gpup-0123456789abcdef0123456789abcdef ";

std::string marked(std::string_view rest) { return std::string(kMarker) + std::string(rest); }

/// All replies in a text that comes in pieces of one size.
std::vector<std::string> replies_of(std::string_view text, std::size_t piece, ReplyReader& reader) {
  std::vector<std::string> replies;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    reader.feed(text.substr(0, piece), replies);
  }
  return replies;
}

}  // namespace

TEST_CASE("a request is one ASCII line with its length") {
  CHECK_EQ(frame("{}"), "2:{}\n");
  CHECK_EQ(frame("{\"vm\":\"\xc3\xa4\"}"), "15:{\"vm\":\"\\u00e4\"}\n");
  CHECK_EQ(ascii_json("\"\xf0\x9f\x90\xa7\xe2\x80\xae\""), "\"\\ud83d\\udc27\\u202e\"");
}

TEST_CASE("a script travels as short lines of base64, closed by a dot") {
  CHECK_EQ(script_lines(""), ".\n");
  CHECK_EQ(script_lines("a"), "YQ==\n.\n");
  CHECK_EQ(script_lines("ab"), "YWI=\n.\n");
  CHECK_EQ(script_lines("abc"), "YWJj\n.\n");
  const std::string lines = script_lines(agent_script());
  std::size_t longest = 0;
  for (std::size_t begin = 0, end = 0; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1) {
    longest = std::max(longest, end - begin);
  }
  CHECK_LE(longest, 1000);
}

TEST_CASE("the bootstrap is base64 of UTF-16") { CHECK_EQ(encoded_command("exit"), "ZQB4AGkAdAA="); }

TEST_CASE("replies are found wherever the pieces are cut, whatever stands before them") {
  struct Case {
    std::string name;
    std::string text;
    std::vector<std::string> replies;
  };
  const Case cases[] = {
      {"one", marked("2:{}\n"), {"{}"}},
      {"two", marked("2:{}\n") + marked("8:{\"a\": 1}\n"), {"{}", "{\"a\": 1}"}},
      {"CRLF", marked("2:{}\r\n") + marked("2:{}\r\n"), {"{}", "{}"}},
      {"a byte order mark", "\xef\xbb\xbf" + marked("2:{}\n"), {"{}"}},
      {"a banner on lines of its own", "Welcome!\r\n\r\n" + marked("2:{}\n"), {"{}"}},
      {"noise on the same line", "PS C:\\> gpup-" + marked("2:{}\n"), {"{}"}},
      {"a marker that breaks off and begins anew", "gpup-0123" + marked("2:{}\n"), {"{}"}},
      {"a marker in two halves with a line between", "gpup-0123456789abcdef\n0123456789abcdef 2:{}\n", {}},
      {"another nonce", "gpup-ffffffffffffffffffffffffffffffff 2:{}\n" + marked("2:[]\n"), {"[]"}},
      {"NUL and garbage", std::string("\0\xff\xfe\0", 4) + marked("2:{}\n"), {"{}"}},
      {"noise between", marked("2:{}\n") + "WARNING: gpup\n" + marked("2:[]\n"), {"{}", "[]"}},
      {"a reply that holds the marker", marked("40:") + marked("2:") + "\n", {marked("2:")}},
      {"nothing but noise", "gpup gpup-gpup-0", {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    for (const std::size_t piece : {1U, 2U, 3U, 7U, 1000U}) {
      CAPTURE(piece);
      ReplyReader reader(kNonce, 1000);
      const std::vector<std::string> replies = replies_of(c.text, piece, reader);
      CHECK_FALSE(reader.trouble());
      CHECK(replies == c.replies);
    }
  }
}

TEST_CASE("a reply that is not as it says ends the reading") {
  struct Case {
    std::string name;
    std::string text;
    Trouble trouble;
  };
  const Case cases[] = {
      {"longer than it says", marked("2:{\"a\": 1}\n"), Trouble::kBroken},
      {"shorter than it says", marked("9:{}\n"), Trouble::kBroken},
      {"no length", marked("{}\n"), Trouble::kBroken},
      {"an empty length", marked(":{}\n"), Trouble::kBroken},
      {"a negative length", marked("-2:{}\n"), Trouble::kBroken},
      {"a length that overflows", marked("99999999999999999999:{}\n"), Trouble::kBroken},
      {"more than is read", marked("1001:"), Trouble::kTooLarge},
      {"two carriage returns", marked("2:{}\r\r\n"), Trouble::kBroken},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    for (const std::size_t piece : {1U, 1000U}) {
      ReplyReader reader(kNonce, 1000);
      CHECK(replies_of(c.text, piece, reader).empty());
      CHECK(reader.trouble() == c.trouble);
    }
  }
}

TEST_CASE("noise is kept at its end, and has a bound between two replies") {
  ReplyReader reader(kNonce, 1000);
  std::vector<std::string> replies;
  const std::string much(ReplyReader::kLargestNoise - 10, 'x');
  for (int i = 0; i < 3; ++i) {
    CHECK(reader.feed(much, replies));
    CHECK(reader.feed("the end" + marked("2:{}\n"), replies));
    CHECK(reader.noise().ends_with("xthe end"));
    CHECK_LE(reader.noise().size(), 2 * ReplyReader::kKeptNoise);
  }
  CHECK_EQ(replies.size(), 3);
  CHECK(reader.feed(much, replies));
  CHECK_FALSE(reader.feed("eleven more", replies));
  CHECK(reader.trouble() == Trouble::kNoise);
}

TEST_CASE("what runs on hosts is ASCII, and the command that carries it is short") {
  for (const std::string_view text : {agent_script(), agent_bootstrap()}) {
    CHECK_FALSE(text.empty());
    CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  }
}

}  // namespace gpup
