#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "cli/explain.h"
#include "cli/program.h"

namespace gpup::test {

namespace {

constexpr auto kAllCodes = std::to_array<Code>({
#define GPUP_CODE(name, number) Code::name,
#include "base/codes.def"
#undef GPUP_CODE
});

/// The codes of one severity in what the program printed.
std::set<std::string> codes_in(const std::string& text, const std::string& severity) {
  const std::regex code(severity + R"re(\[(GP\d{3})\])re");
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), code), end; match != end; ++match) {
    found.insert((*match)[1].str());
  }
  return found;
}

/// An error is alone among errors (warnings may follow from the same world), a warning is alone.
std::set<std::string> told(const std::string& text) {
  std::set<std::string> found = codes_in(text, "error");
  if (found.empty()) {
    found = codes_in(text, "warning");
    // Equal cards of which only some get another count are never homogeneous afterwards.
    if (found.contains("GP140")) {
      found.erase("GP126");
    }
  }
  return found;
}

/// `size`: where it is not 0, the file has so many bytes; those beyond the text are a hole.
void write_unless_empty(const Folder& folder, const std::string& name, std::string_view text, std::uint64_t size = 0) {
  if (text.empty()) {
    return;
  }
  folder.write(name, text);
  if (size != 0) {
    std::filesystem::resize_file(folder.path() + "/" + name, size);
  }
}

/// The program that stands in for another in an example, first in PATH for as long as this lives.
class StandIn {
 public:
  StandIn(const Folder& folder, const Example& example) {
    if (!example.program.empty()) {
      const std::string name = "bin/" + std::string(example.program);
      folder.write(name, example.script);
      std::filesystem::permissions(folder.path() + "/" + name, std::filesystem::perms::owner_all);
      setenv("PATH", (folder.path() + "/bin:" + path_).c_str(), 1);
    }
  }
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;
  ~StandIn() { setenv("PATH", path_.c_str(), 1); }

 private:
  std::string path_ = std::getenv("PATH");
};

}  // namespace

TEST_CASE("every code is explained, once") {
  std::set<Code> explained;
  for (const Explanation* row : explanations()) {
    CAPTURE(to_string(row->code));
    CHECK(explained.insert(row->code).second);
    CHECK_FALSE(row->title.empty());
    CHECK(row->meaning.ends_with('.'));
    CHECK(row->mend.ends_with('.'));
  }
  for (const Code code : kAllCodes) {
    CAPTURE(to_string(code));
    CHECK_EQ(explained.count(code), 1);
  }
}

TEST_CASE("the example of a code triggers it, and no other") {
  for (const Explanation* row : explanations()) {
    const std::string code = to_string(row->code);
    CAPTURE(code);
    const Folder folder;
    write_unless_empty(folder, "desired.yaml", row->example.desired, row->example.desired_size);
    write_unless_empty(folder, "lab.json", row->example.lab, row->example.lab_size);
    write_unless_empty(folder, "plan.json", row->example.plan);
    write_unless_empty(folder, "run-1.jsonl", row->example.journal);
    const StandIn stand_in(folder, row->example);
    if (!row->example.first.empty()) {
      run_gpup(folder, split_words(row->example.first));
    }
    write_unless_empty(folder, "lab.json", row->example.lab_then);
    Ended ended = run_gpup(folder, split_words(command_of(row->example)));
    if (row->code == Code::kOutsideWindow && ended.code == 0) {  // its window is one minute a week, and this is it
      write_unless_empty(folder, "lab.json", row->example.lab);
      std::this_thread::sleep_for(std::chrono::seconds(61));
      ended = run_gpup(folder, split_words(command_of(row->example)));
    }
    CAPTURE(ended.out);
    CAPTURE(ended.err);
    const std::set<std::string> codes = told(ended.out + ended.err);
    CAPTURE(codes.size());
    std::set<std::string> expected = {code};
    if (row->code == Code::kStaleAdapter) {
      expected.insert(to_string(Code::kVmLeftOff));  // only a start that is owed is one without an adapter
    }
    CHECK(codes == expected);
  }
}

TEST_CASE("explain shows the meaning, the example and what to do") {
  const Folder folder;
  const Ended one = run_gpup(folder, {"explain", "gp190"});
  CHECK_EQ(one.code, 0);
  CHECK_EQ(first_line(one.out), "GP190: wrong command line");
  CHECK_NE(one.out.find("\n  $ gpup plan --ouput json\n"), std::string::npos);
  CHECK_NE(one.out.find("\nTo mend it:\n  Take the suggestion"), std::string::npos);
  const Ended all = run_gpup(folder, {"explain"});
  CHECK_NE(all.out.find("\nGP190  wrong command line\n"), std::string::npos);
}

}  // namespace gpup::test
