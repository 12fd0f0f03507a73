#include "base/text.h"

#include <string>

#include <doctest/doctest.h>

using namespace std::string_view_literals;

namespace gpup {

TEST_CASE("host names, GUIDs and GPU names compare without the case of ASCII letters") {
  CHECK(same_name("HV-E1", "hv-e1"));
  CHECK(same_name("", ""));
  CHECK_FALSE(same_name("hv-e1", "hv-e10"));
  CHECK_FALSE(same_name("[", "{"));  // 0x20 apart, but no letters
  CHECK_FALSE(same_name("@", "`"));
  CHECK_FALSE(same_name("\xc3\x84", "\xc3\xa4"));  // only ASCII is folded
  CHECK_EQ(fold_case("PCI#VEN_10DE&\xc3\x84[Z]"), "pci#ven_10de&\xc3\x84[z]");
}

TEST_CASE("passwords of addresses are hidden, and nothing else") {
  struct Case {
    std::string_view text;
    std::string_view shown;
  };
  const Case cases[] = {
      {"", ""},
      {"nothing to hide: 10:30, a@b, C:\\x", "nothing to hide: 10:30, a@b, C:\\x"},
      {"ssh://bob:hush@hv-1:22", "ssh://bob:(hidden)@hv-1:22"},
      {"'ssh://bob:hu@sh@hv-1' is wrong", "'ssh://bob:(hidden)@hv-1' is wrong"},
      {"ssh://bob@hv-1:22", "ssh://bob@hv-1:22"},
      {"address: bob:hush@hv-1", "address: bob:(hidden)@hv-1"},
      {"x=https://:hush@h/a b:c@d\n", "x=https://:(hidden)@h/a b:(hidden)@d\n"},
      {"ssh://bob:(hidden)@hv-1", "ssh://bob:(hidden)@hv-1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK_EQ(hide_passwords(c.text), c.shown);
  }
}

TEST_CASE("invalid UTF-8 is found at its first byte") {
  struct Case {
    std::string_view text;
    int at;  // -1: valid
  };
  const Case cases[] = {
      {"", -1},
      {"plain", -1},
      {"\x7f", -1},
      {"\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", -1},
      {"eight by\xc3\xa4te eight by", -1},
      {"\0"sv, -1},
      {"a\x80", 1},
      {"12345678\xff", 8},
      {"12345678901234567890\xc3", 20},
      {"\xc0\x80", 0},          // NUL in a longer form than needed
      {"\xc1\xbf", 0},          // likewise
      {"\xe0\x9f\xbf", 0},      // likewise
      {"\xf0\x8f\xbf\xbf", 0},  // likewise
      {"\xed\xa0\x80", 0},      // half of a surrogate pair
      {"\xed\x9f\xbf", -1},     // the last before the surrogates
      {"\xf4\x90\x80\x80", 0},  // over U+10FFFF
      {"\xf5\x80\x80\x80", 0},
      {"\xe2\x82", 0},
      {"ok\xe2\x28\xa1", 2},
      {"\xf0\x9f\x98", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(escape_terminal(c.text));
    const auto at = invalid_utf8_at(c.text);
    CHECK_EQ(at ? static_cast<int>(*at) : -1, c.at);
  }
}

TEST_CASE("of a GPU's name the part is told that tells it from its neighbours") {
  CHECK_EQ(short_gpu_name(R"(\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-625e})"),
           "4&18416dc3&0&0000");
  for (const std::string_view other : {"", "GPU0", "#{", "##{", "a#{b}", "PCI#a#"}) {
    CAPTURE(other);
    CHECK_EQ(short_gpu_name(other), other);
  }
}

TEST_CASE("text from outside cannot act on a terminal") {
  struct Case {
    std::string_view text;
    std::string_view safe;
  };
  const Case cases[] = {
      {"vdi-01", "vdi-01"},
      {R"(\\?\PCI#VEN_10DE)", R"(\\?\PCI#VEN_10DE)"},
      {"B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x98\x80", "B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"\x1b[2J", "\\u{1b}[2J"},
      {"a\nb\tc\rd", "a\\u{a}b\\u{9}c\\u{d}d"},
      {"\0"sv, "\\u{0}"},
      {"\x7f", "\\u{7f}"},
      {"\xc2\x9b", "\\u{9b}"},
      {"\xc2\xa0", "\xc2\xa0"},
      {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"},
      {"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f", "\\u{202e}\\u{2066}\\u{61c}\\u{200f}"},
      // What shows nothing makes one name look like another.
      {"vdi\xe2\x80\x8b-01\xef\xbb\xbf", "vdi\\u{200b}-01\\u{feff}"},
      {"\xe2\x80\x8e\xe2\x80\x8d\xe2\x81\xa0\xe2\x81\xaf", "\\u{200e}\\u{200d}\\u{2060}\\u{206f}"},
      {"\xc2\xad\xe1\xa0\x8e\xf3\xa0\x80\x81\xf3\xa0\x81\x81", "\\u{ad}\\u{180e}\\u{e0001}\\u{e0041}"},
      {"\xe2\x80\x90\xe2\x81\xa5\xf3\xa0\x84\x80", "\xe2\x80\x90\xe2\x81\xa5\xf3\xa0\x84\x80"},
      {"\xff\xfe", "\\x{ff}\\x{fe}"},
      {"\xc3", "\\x{c3}"},
      // Nor on a CI's runner, which takes commands from its log.
      {"::add-mask::x", "\\u{3a}:add-mask::x"},
      {" ::error::x", " \\u{3a}:error::x"},
      {"a::b", "a::b"},
      {"a ##vso[task.complete]", "a \\u{23}#vso[task.complete]"},
      {"##[error]", "\\u{23}#[error]"},
      {"## a", "## a"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.safe);
    CHECK_EQ(escape_terminal(c.text), c.safe);
  }
}

TEST_CASE("a slip is told from another word") {
  const std::vector<std::string_view> keys = {"vm", "gpu", "power", "offlineAction", "partitionCount"};
  struct Case {
    std::string_view word;
    std::string_view near;  // empty: none
  };
  const Case cases[] = {
      {"powr", "power"},
      {"pwoer", "power"},
      {"Power", "power"},
      {"partitioncount", "partitionCount"},
      {"partition_count", "partitionCount"},
      {"offlineActoin", "offlineAction"},
      {"mv", "vm"},
      {"gpus", "gpu"},
      {"password", ""},
      {"x", ""},
      {"", ""},
      {"completely different", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.word);
    CHECK_EQ(nearest(c.word, keys).value_or(""), c.near);
  }
  CHECK_FALSE(nearest(std::string(10'000'000, 'a'), keys).has_value());
}

TEST_CASE("columns are counted as a terminal shows them") {
  CHECK_EQ(display_width("vdi-01"), 6);
  CHECK_EQ(display_width("B\xc3\xbcro"), 4);
  CHECK_EQ(display_width("Bu\xcc\x88ro"), 4);              // combining diaeresis
  CHECK_EQ(display_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);  // two Chinese characters
  CHECK_EQ(display_width("\xf0\x9f\x98\x80"), 2);          // emoji
  CHECK_EQ(display_width("\xef\xbb\xbf"), 0);              // byte order mark
  CHECK_EQ(display_width("\xff"), 1);
  CHECK_EQ(display_width(""), 0);
}

TEST_CASE("sizes are exact and short") {
  struct Case {
    std::uint64_t bytes;
    std::string_view text;
  };
  const Case cases[] = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1 KiB"},
      {1536, "1536 B"},
      {939524096, "896 MiB"},
      {3825205248, "3648 MiB"},
      {1610612736, "1.5 GiB"},
      {15918030848, "15918030848 B"},
      {1073741824, "1 GiB"},
      {1099511627776, "1 TiB"},
      {18446744073709551615U, "18446744073709551615 B"},
  };
  for (const Case& c : cases) {
    CHECK_EQ(human_size(c.bytes), c.text);
  }
}

TEST_CASE("times are short, and no longer than they were") {
  struct Case {
    std::uint64_t milliseconds;
    std::string_view text;
  };
  const Case cases[] = {
      {0, "0 s"},
      {99, "0 s"},
      {450, "0.4 s"},
      {30'000, "30 s"},
      {59'999, "59.9 s"},
      {60'000, "1 min"},
      {94'000, "1 min 34 s"},
      {3'599'999, "59 min 59 s"},
      {3'600'000, "1 h"},
      {7'500'000, "2 h 5 min"},
      {18446744073709551615U, "5124095576030 h 25 min"},
  };
  for (const Case& c : cases) {
    CHECK_EQ(human_time(c.milliseconds), c.text);
  }
}

}  // namespace gpup
