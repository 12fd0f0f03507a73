#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "paths.h"

namespace {

namespace fs = std::filesystem;

const fs::path kTop = gpup::kSourceFolder;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file, path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream text(text_of(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string trimmed(std::string text, std::string_view characters = " `") {
  text.erase(0, text.find_first_not_of(characters));
  text.erase(text.find_last_not_of(characters) + 1);
  return text;
}

std::vector<std::string> split(const std::string& text, char divider) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, divider);) {
    if (part = trimmed(part); !part.empty()) {
      parts.push_back(part);
    }
  }
  return parts;
}

/// A row of the map: what a room may include.
struct Room {
  std::set<std::string> rooms;
  std::map<std::string, std::string> libraries;  ///< by name; the one file that may include it, or empty
};

/// The table of src/README.md.
std::map<std::string, Room> the_map() {
  std::map<std::string, Room> map;
  bool inside = false;
  for (const std::string& line : lines_of(kTop / "src/README.md")) {
    if (line.starts_with("| Room | May include | Libraries |")) {
      inside = true;
    } else if (inside && !line.starts_with('|')) {
      break;
    } else if (inside && line.starts_with("| `")) {
      std::vector<std::string> cells;
      std::istringstream row(line.substr(1));
      for (std::string cell; std::getline(row, cell, '|');) {
        cells.push_back(trimmed(cell));
      }
      REQUIRE(cells.size() >= 4);
      Room& room = map[cells[0]];
      for (const std::string& other : split(cells[1], ',')) {
        room.rooms.insert(other);
      }
      for (const std::string& library : split(cells[2], ',')) {
        const std::size_t bracket = library.find(" (");
        room.libraries[library.substr(0, bracket)] =
            bracket == std::string::npos ? "" : trimmed(library.substr(bracket), " ()");
      }
    }
  }
  return map;
}

/// The library that `<header>` belongs to: "" for the C++ standard library's own.
std::string library_of(const std::string& header) {
  static const std::pair<std::string_view, std::string_view> kPrefixes[] = {
      {"yaml-cpp/", "yaml-cpp"}, {"cxxopts.hpp", "cxxopts"}, {"spdlog/", "spdlog"},     {"fmt/", "fmt"},
      {"re2/", "re2"},           {"simdjson", "simdjson"},   {"nlohmann/", "nlohmann"}, {"tl/", "tl-expected"},
      {"openssl/", "openssl"},   {"date/", "date"},
  };
  for (const auto& [prefix, library] : kPrefixes) {
    if (header.starts_with(prefix)) {
      return std::string(library);
    }
  }
  return header.ends_with(".h") || header.find('/') != std::string::npos ? "system" : "";
}

std::vector<fs::path> source_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp" || extension == ".def")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// What breaks the map in one file, in words; empty where nothing does.
std::vector<std::string> against_the_map(const std::map<std::string, Room>& map, const std::string& room_name,
                                         const std::string& file_name, const std::vector<std::string>& lines) {
  std::vector<std::string> broken;
  const auto room = map.find(room_name);
  if (room == map.end()) {
    return {"the map has no room '" + room_name + "'"};
  }
  for (const std::string& raw : lines) {
    const std::string line = trimmed(raw, " \t");
    if (!line.starts_with("#include")) {
      continue;
    }
    const std::string name = trimmed(line.substr(8), " \"");
    if (name.starts_with('<')) {
      const std::string library = library_of(name.substr(1, name.find('>') - 1));
      const auto allowed = room->second.libraries.find(library);
      if (library.empty()) {
        continue;
      }
      if (allowed == room->second.libraries.end()) {
        broken.push_back(line + ": " + room_name + " does not use " + library);
      } else if (!allowed->second.empty() && allowed->second != file_name) {
        broken.push_back(line + ": only " + allowed->second + " includes " + library);
      }
    } else {
      const std::string other = name.substr(0, name.find('/'));
      if (other == name) {
        broken.push_back(line + ": project includes are written from src/");
      } else if (other != room_name && !room->second.rooms.contains(other)) {
        broken.push_back(line + ": " + room_name + " may not include " + other);
      }
    }
  }
  return broken;
}

TEST_CASE("every include keeps to the map in src/README.md") {
  const auto map = the_map();
  CHECK_GE(map.size(), 10);
  for (const fs::path& path : source_files(kTop / "src")) {
    const fs::path inside = fs::relative(path, kTop / "src");
    const std::string room = inside.begin()->string();
    for (const std::string& broken : against_the_map(map, room, path.filename().string(), lines_of(path))) {
      FAIL_CHECK(inside.string() << ": " << broken);
    }
  }
}

TEST_CASE("tests/README.md tells of each folder of tests that is no room") {
  const auto map = the_map();
  const std::string text = text_of(kTop / "tests/README.md");
  for (const auto& entry : fs::directory_iterator(kTop / "tests")) {
    const std::string name = entry.path().filename().string();
    if (entry.is_directory() && (name == "model" || !map.contains(name))) {
      CAPTURE(name);
      CHECK_NE(text.find("\n| `" + name + "` | "), std::string::npos);
    }
  }
}

TEST_CASE("the map lists the rooms that are there, and no others") {
  std::set<std::string> listed;
  for (const auto& [name, room] : the_map()) {
    listed.insert(name);
  }
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator(kTop / "src")) {
    if (entry.is_directory() || entry.path().extension() == ".cpp") {
      there.insert(entry.path().filename().string());
    }
  }
  CHECK_EQ(listed.size(), there.size());
  for (const std::string& room : there) {
    CHECK_MESSAGE(listed.contains(room), room);
  }
}

TEST_CASE("an include that the map forbids is found") {
  const auto map = the_map();
  struct Case {
    const char* room;
    const char* file;
    const char* line;
    const char* broken;  ///< empty: allowed
  };
  const Case cases[] = {
      {"plan", "goal.cpp", "#include \"observed/observed_state.h\"", ""},
      {"plan", "goal.cpp", "#include <vector>", ""},
      {"cli", "command_line.cpp", "#include <cxxopts.hpp>", ""},
      {"plan", "goal.cpp", "#include \"render/plan_text.h\"",
       "#include \"render/plan_text.h\": plan may not include render"},
      {"plan", "goal.cpp", "  #include <yaml-cpp/yaml.h>", "#include <yaml-cpp/yaml.h>: plan does not use yaml-cpp"},
      {"plan", "goal.cpp", "#include <unistd.h>", "#include <unistd.h>: plan does not use system"},
      {"cli", "run.cpp", "#include <cxxopts.hpp>", "#include <cxxopts.hpp>: only command_line.cpp includes cxxopts"},
      {"cli", "run.cpp", "#include \"adapters/files.h\"",
       "#include \"adapters/files.h\": cli may not include adapters"},
      {"desired", "read.cpp", "#include \"observed/observed_state.h\"",
       "#include \"observed/observed_state.h\": desired may not include observed"},
      {"desired", "read.cpp", "#include \"fields.h\"", "#include \"fields.h\": project includes are written from src/"},
      {"attic", "old.cpp", "", "the map has no room 'attic'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const auto broken = against_the_map(map, c.room, c.file, {c.line});
    CHECK_EQ(broken.empty() ? std::string() : broken.front(), c.broken);
  }
}

TEST_CASE("every header starts with #pragma once") {
  for (const fs::path& path : source_files(kTop / "src")) {
    if (path.extension() == ".h") {
      CHECK_MESSAGE(text_of(path).starts_with("#pragma once\n"), path.string());
    }
  }
}

/// The words of a name in any style, in lower case: `EventSink` and `event_sink` are event, sink.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if ((upper || c == '_' || c == '.') && !words.back().empty()) {
      words.emplace_back();
    }
    if (upper) {
      words.back() += static_cast<char>(c - 'A' + 'a');
    } else if (c != '_' && c != '.') {
      words.back() += c;
    }
  }
  return words;
}

TEST_CASE("no file or type has a name that hides a missing noun") {
  const std::set<std::string> vague = {"manager", "helper",  "helpers", "util", "utils",
                                       "handler", "context", "data",    "info"};
  const std::regex type(R"(\b(?:struct|class) ([A-Za-z_]\w*)[^;]*\{)");
  for (const fs::path& path : source_files(kTop / "src")) {
    std::vector<std::string> names = {path.filename().string()};
    for (const std::string& line : lines_of(path)) {
      if (std::smatch found; std::regex_search(line, found, type)) {
        names.push_back(found[1]);
      }
    }
    for (const std::string& name : names) {
      for (const std::string& word : words_of(name)) {
        CHECK_MESSAGE(!vague.contains(word), path.string() << ": " << name);
      }
    }
  }
}

TEST_CASE("nothing in the sources names one machine's folders or is left for later") {
  const std::string later[] = {std::string("TO") + "DO", std::string("FIX") + "ME"};
  const std::string machine[] = {std::string("/wo") + "rk/", std::string("/ho") + "me/", std::string("/ro") + "ot/",
                                 std::string("/Use") + "rs/"};
  std::vector<fs::path> files = source_files(kTop / "src");
  for (const char* folder : {"tests", "examples", "schemas"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kTop / folder)) {
      if (entry.is_regular_file()) {
        files.push_back(entry.path());
      }
    }
  }
  for (const char* file : {"README.md", "CHANGELOG.md", "CMakeLists.txt", ".ci/run"}) {
    files.push_back(kTop / file);
  }
  for (const fs::path& path : files) {
    const std::string text = text_of(path);
    for (const std::string& word : later) {
      CHECK_MESSAGE(text.find(word) == std::string::npos, path.string() << " says " << word);
    }
    for (const std::string& folder : machine) {
      CHECK_MESSAGE(text.find(folder) == std::string::npos, path.string() << " says " << folder);
    }
  }
}

}  // namespace
