#include "base/tar.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace std::string_view_literals;

namespace gpup {

TEST_CASE("an archive is blocks of 512 bytes: headers with their sum, files, two that are empty") {
  StringSink out;
  Tar tar(out, 1'700'000'000);
  tar.add("a.txt", "hello\n");
  tar.add("folder/empty", "");
  tar.add("folder/block", std::string(512, 'x'));
  tar.finish();
  const std::string& text = out.text;
  REQUIRE_EQ(text.size(), (2 + 1 + 2 + 2) * 512);
  CHECK_EQ(text.substr(0, 6), "a.txt\0"sv);
  CHECK_EQ(text.substr(124, 12), "00000000006\0"sv);
  CHECK_EQ(text.substr(136, 12), "14524770400\0"sv);
  CHECK_EQ(text.substr(257, 8),
           "ustar\0"
           "00"sv);
  CHECK_EQ(text.substr(512, 7), "hello\n\0"sv);
  for (const std::size_t header : {std::size_t{0}, std::size_t{1024}, std::size_t{1536}}) {
    CAPTURE(header);
    unsigned long sum = 0;
    for (std::size_t i = 0; i < 512; ++i) {
      sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(text[header + i]);
    }
    CHECK_EQ(std::strtoul(text.substr(header + 148, 6).c_str(), nullptr, 8), sum);
  }
  CHECK_EQ(text.substr(text.size() - 1024), std::string(1024, '\0'));
}

}  // namespace gpup
