#include "desired/layout.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>
#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "desired/read_desired.h"
#include "files.h"
#include "paths.h"

namespace gpup {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What a file says, read by another hand: keys sorted, values as text, whether they are plain.
json meaning(const YAML::Node& node) {
  if (node.IsMap()) {
    json members = json::object();
    for (const auto& member : node) {
      members[member.first.Scalar()] = meaning(member.second);
    }
    return members;
  }
  if (node.IsSequence()) {
    json entries = json::array();
    for (const auto& entry : node) {
      entries.push_back(meaning(entry));
    }
    return entries;
  }
  return node.Scalar();
}

json meaning(const std::string& text) {
  json documents = json::array();
  for (const YAML::Node& document : YAML::LoadAll(text)) {
    documents.push_back(meaning(document));
  }
  return documents;
}

std::string laid(const std::string& text) {
  const auto result = lay_out("desired.yaml", text);
  if (!result) {
    return "REFUSED: " + render_diagnostics(result.error().diagnostics);
  }
  return *result;
}

/// What no laid out text has, in words; empty where it has none of it.
std::string ugly(const std::string& text) {
  if (text.empty() || text.back() != '\n' || text.ends_with("\n\n")) {
    return "it does not end with one line end";
  }
  if (text.starts_with("\n")) {
    return "it begins with an empty line";
  }
  for (const char* never : {"\r", " \n", "\t", "\n\n\n"}) {
    if (text.find(never) != std::string::npos) {
      return fmt::format("it holds {}", json(never).dump());
    }
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (std::min(line.find_first_not_of(' '), line.size()) % 2 != 0) {
      return "a line is indented by an odd number of spaces: " + line;
    }
  }
  return {};
}

std::vector<std::string> good_texts() {
  std::vector<std::string> texts;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(kSourceFolder) / "tests/desired/corpus/good")) {
    paths.push_back(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(fs::path(kSourceFolder) / "examples")) {
    if (fs::exists(entry.path() / "desired.yaml")) {
      paths.push_back(entry.path() / "desired.yaml");
    }
  }
  std::sort(paths.begin(), paths.end());
  texts.reserve(paths.size());
  for (const fs::path& path : paths) {
    texts.push_back(read_text(path));
  }
  return texts;
}

constexpr std::string_view kHeader =
    "apiVersion: gpup/v1\n"
    "kind: GpuPartitioning\n"
    "metadata:\n"
    "  name: lab\n";
constexpr std::string_view kHosts =
    "hosts:\n"
    "  - name: a\n"
    "    connect: { transport: local }\n";

std::string with_header(std::string_view rest) {
  return std::string(kHeader) + std::string(kHosts) + std::string(rest);
}

}  // namespace

TEST_CASE("files are laid out in one way") {
  struct Case {
    std::string_view name;
    std::string before;
    std::string after;
  };
  const Case cases[] = {
      {"keys are put in the order of the format",
       "kind: GpuPartitioning\npolicy:\n  stop: { timeout: 5m, mode: shutdown }\n  unlisted: keep\nhosts:\n  - "
       "connect: { "
       "transport: local }\n    name: a\nmetadata:\n  name: lab\napiVersion: gpup/v1\n",
       with_header("policy:\n  unlisted: keep\n  stop: { mode: shutdown, timeout: 5m }\n")},
      {"two spaces a level, also before the entries of a list",
       "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata:\n      name: lab\nhosts:\n- name: a\n  connect:\n   "
       "transport: local\n",
       std::string(kHeader) + "hosts:\n  - name: a\n    connect:\n      transport: local\n"},
      {"brackets of mappings that hold mappings are opened, and stay around those that do not",
       "{apiVersion: gpup/v1, kind: GpuPartitioning, metadata: {name: lab}, hosts: [{name: a, connect: {transport: "
       "local}}], gpus: [{model: NVIDIA A2,   hosts: [ a ]}]}\n",
       "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata: { name: lab }\nhosts:\n  - name: a\n    connect: { "
       "transport: local }\ngpus:\n  - { model: NVIDIA A2, hosts: [a] }\n"},
      {"what is too wide for a line in brackets is opened",
       with_header("assignments:\n  - { vm: " + std::string(90, 'x') + ", power: running, minVram: 3GiB }\n"),
       with_header("assignments:\n  - vm: " + std::string(90, 'x') + "\n    minVram: 3GiB\n    power: running\n")},
      {"JSON becomes YAML, its values as they were quoted",
       R"({"apiVersion": "gpup/v1", "kind": "GpuPartitioning", "metadata": {"name": "lab"},
 "hosts": [{"name": "a", "connect": {"transport": "local"}}]})",
       "apiVersion: \"gpup/v1\"\nkind: \"GpuPartitioning\"\nmetadata: { name: \"lab\" }\nhosts:\n  - name: \"a\"\n    "
       "connect: { transport: \"local\" }\n"},
      {"comments move with what they are about, and those of the file stay on top",
       "# the file's\n# two lines\n\n# who\nmetadata: # beside\n  name: lab   # with its spaces\nkind: "
       "GpuPartitioning\n# "
       "the version\napiVersion: gpup/v1\nhosts:\n  # the first\n  - connect: # how\n      transport: local # here\n   "
       " # "
       "its name\n    name: a\n",
       "# the file's\n# two lines\n# the version\napiVersion: gpup/v1\nkind: GpuPartitioning\n\n# who\nmetadata: # "
       "beside\n  name: lab   # with its spaces\nhosts:\n  # the first\n  # its name\n  - name: a\n    connect: # "
       "how\n     "
       " transport: local # here\n"},
      {"a comment that is farther to the right than what follows belongs to what is above",
       with_header(
           "gpus:\n    - model: NVIDIA A2\n      # in the entry\n    # in the list\n  # in the list, too\n# of the "
           "next\nassignments: [] # none\n      # deep in the end\n# the end\n"),
       with_header("gpus:\n  - model: NVIDIA A2\n    # in the entry\n  # in the list\n# in the list, too\n# of the "
                   "next\nassignments: [] # none\n# deep in the end\n# the end\n")},
      {"comments open brackets",
       with_header(
           "gpus:\n  - model: NVIDIA A2\n    hosts: [ a, # this one\n      ] # all\npolicy: { # beside\n  unlisted: "
           "keep # kept\n}\n"),
       with_header(
           "gpus:\n  - model: NVIDIA A2\n    hosts: # all\n      - a # this one\npolicy: # beside\n  unlisted: keep # "
           "kept\n")},
      {"one empty line is kept where there was one, and none above the first",
       "\n\n" + std::string(kHeader) + "\n\n \n" + std::string(kHosts) +
           "\ngpus:\n\n  - model: NVIDIA A2\n\n\n  - model: NVIDIA A40\n\n\n",
       std::string(kHeader) + "\n" + std::string(kHosts) + "\ngpus:\n  - model: NVIDIA A2\n\n  - model: NVIDIA A40\n"},
      {"line ends, blanks at their ends and the byte order mark",
       "\xef\xbb\xbf"
       "apiVersion: gpup/v1  \r\nkind: GpuPartitioning\r\nmetadata:\t\r\n  name: lab # c \t\r\nhosts:\r\n  - "
       "name: a\r\n    connect: { transport: local }",
       "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata:\n  name: lab # c\nhosts:\n  - name: a\n    connect: { "
       "transport: local }\n"},
      {"documents are divided by dashes alone",
       "--- # first\n" + std::string(kHeader) + std::string(kHosts) + "...\n# second\n---\n" + std::string(kHeader),
       "# first\n" + std::string(kHeader) + std::string(kHosts) + "# second\n---\n" + std::string(kHeader)},
      {"texts of several lines",
       with_header(
           "policy:\n  override:\n    - rule: R01\n      reason: >-   # why\n          a block\n          of # text\n"
           "    # a comment\n    - rule: R02\n      reason: two\n        lines\n    - rule: R03\n      reason: \"in\n"
           "        \\\"quotes\\\"\"\n    - rule: R04\n      reason: |-\n       one\n"),
       with_header(
           "policy:\n  override:\n    - rule: R01\n      reason: >-   # why\n        a block\n        of # text\n"
           "    # a comment\n    - rule: R02\n      reason: two lines\n    - rule: R03\n      reason: \"in "
           "\\\"quotes\\\"\"\n    - rule: R04\n      reason: |-\n        one\n")},
      {"a comment right behind a quote or a bracket",
       with_header("gpus:\n  - model: \"NVIDIA A2\"#[1\n    hosts: [a]#}2\n"),
       with_header("gpus:\n  - model: \"NVIDIA A2\" #[1\n    hosts: [a] #}2\n")},
      {"keys that are asked for", with_header("assignments:\n  - ? vm\n    : explicit\n  - \"vm\": quoted\n"),
       with_header("assignments:\n  - vm: explicit\n  - vm: quoted\n")},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    CHECK(laid(row.before) == row.after);
    CHECK(laid(row.after) == row.after);
    CHECK(ugly(row.after) == "");
  }
}

TEST_CASE("a file that cannot be laid out, or is wrong, is told with its place") {
  struct Case {
    std::string_view name;
    std::string text;
    Code code;
    std::uint32_t line;
    std::string_view words;
  };
  const Case cases[] = {
      {"a directive", "%YAML 1.2\n---\n" + with_header({}), Code::kNoLayout, 1, "a directive (%)"},
      {"a directive of a later document", with_header("...\n%YAML 1.2\n---\n") + std::string(kHeader), Code::kNoLayout,
       9, "a directive (%)"},
      {"a block text with a number",
       with_header("policy:\n  override:\n    - rule: R01\n      reason: |2-\n          a\n"), Code::kNoLayout, 11,
       "says its own indentation"},
      {"a wrong file", with_header("gpus:\n  - modl: x\n"), Code::kUnknownKey, 9, "unknown key 'modl'"},
      {"no YAML", with_header("gpus: [\n"), Code::kYamlSyntax, 9, ""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    const auto result = lay_out("desired.yaml", row.text);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == ErrorCode::kBadContent);
    const auto& diagnostics = result.error().diagnostics;
    REQUIRE_FALSE(diagnostics.empty());
    CHECK(diagnostics.front().code == row.code);
    CHECK(diagnostics.front().line == row.line);
    CHECK(diagnostics.front().message.find(row.words) != std::string::npos);
  }
}

TEST_CASE("a part of a desired state is laid out by itself") {
  const std::string part = "assignments:\n- vm: x\n  host: elsewhere\nkind: GpuPartitioning\napiVersion: gpup/v1\n";
  CHECK(laid(part) == "apiVersion: gpup/v1\nkind: GpuPartitioning\nassignments:\n  - vm: x\n    host: elsewhere\n");
}

TEST_CASE("every good file has a layout that says the same, and stays as it is") {
  std::size_t refused = 0;
  for (const std::string& text : good_texts()) {
    CAPTURE(text);
    const auto result = lay_out("desired.yaml", text);
    if (!result) {
      CHECK(result.error().diagnostics.front().code == Code::kNoLayout);
      ++refused;
      continue;
    }
    CHECK(laid(*result) == *result);
    CHECK(meaning(*result) == meaning(text));
    CHECK(ugly(*result) == "");
  }
  CHECK(refused == 1);  // the one with a directive
}

TEST_CASE("the examples are laid out already, and so is the file of the readme") {
  for (const auto& entry : fs::directory_iterator(fs::path(kSourceFolder) / "examples")) {
    if (fs::exists(entry.path() / "desired.yaml")) {
      CAPTURE(entry.path().string());
      const std::string text = read_text(entry.path() / "desired.yaml");
      CHECK(laid(text) == text);
    }
  }
  const std::string readme = read_text(fs::path(kSourceFolder) / "README.md");
  const std::string_view fence = "```yaml\n";
  const std::size_t begin = readme.find(fence) + fence.size();
  const std::string text = readme.substr(begin, readme.find("```", begin) - begin);
  REQUIRE(text.find("disruption:") != std::string::npos);
  CHECK(laid(text) == text);
}

TEST_CASE("keys have the order of the schema") {
  const auto schema =
      nlohmann::ordered_json::parse(read_text(fs::path(kSourceFolder) / "schemas/desired.v1.schema.json"));
  // All keys that exclude each other aside: the order of what is left is what both tables share.
  const auto order = [&](const nlohmann::ordered_json& of) {
    std::vector<std::string> keys;
    for (const auto& member : of["properties"].items()) {
      keys.push_back(member.key());
    }
    return keys;
  };
  const auto found = [](const std::string& text, const std::vector<std::string>& keys) {
    std::vector<std::pair<std::size_t, std::string>> places;
    for (const std::string& key : keys) {
      if (const std::size_t at = text.find(" " + key + ":"); at != std::string::npos) {
        places.emplace_back(at, key);
      }
    }
    std::vector<std::string> sorted;
    std::sort(places.begin(), places.end());
    sorted.reserve(places.size());
    for (const auto& place : places) {
      sorted.push_back(place.second);
    }
    return sorted;
  };
  const auto without = [](std::vector<std::string> keys, std::vector<std::string> left_out) {
    std::erase_if(keys, [&](const std::string& key) {
      return std::find(left_out.begin(), left_out.end(), key) != left_out.end();
    });
    return keys;
  };
  const auto policy = order(schema["definitions"]["policy"]);
  const std::string all_policy = laid(with_header(
      "policy:\n  ignore:\n    - { object: a, reason: x }\n  override:\n    - { rule: R01, reason: x }\n  disruption: "
      "{ "
      "perHost: 1 }\n  hooks: { after: [x] }\n  window: { zone: Etc/UTC, to: '04:00', from: '22:00' }\n  stop: { mode: "
      "shutdown }\n  homogeneous: warn\n  unlisted: keep\n"));
  CHECK(found(all_policy.substr(all_policy.find("policy:")), policy) == policy);
  const auto line = without(order(schema["definitions"]["assignment"]), {"vm", "id"});
  const std::string all_line = laid(with_header(
      "assignments:\n  - host: a\n    power: keep\n    offlineAction: save\n    minVram: 1GiB\n    gpu: x\n    "
      "expect: 1\n    match: x\n"));
  CHECK(found(all_line.substr(all_line.find("assignments:")), line) == line);
}

namespace {

/// Writes what a file says in any layout that YAML allows.
class AnyLayout {
 public:
  explicit AnyLayout(unsigned seed) : random_(seed) {}

  std::string write(const std::vector<YAML::Node>& documents) {
    noise(0);
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (i > 0 || chance(4)) {
        text_ += chance(3) ? "--- " + comment() + "\n" : "---\n";
      }
      if (documents[i].IsMap() && fits_brackets(documents[i]) && chance(8)) {
        brackets(documents[i], 1);
        end_line();
      } else {
        mapping(documents[i], pick(0, 2) * 2U, false);
      }
      if (i + 1 < documents.size() && chance(3)) {
        text_ += "...\n";
      }
    }
    noise(0);
    return finish();
  }

  const std::vector<std::string>& comments() const { return comments_; }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  std::size_t pick(std::size_t least, std::size_t most) { return least + random_() % (most - least + 1); }

  std::string comment() {
    constexpr const char* kWords[] = {"[x", "}", "- key: v", "'", "\"", "---", "é", "#", "%", "{ a: b }"};
    comments_.push_back(fmt::format("# c{} {}", comments_.size(), kWords[random_() % std::size(kWords)]));
    return comments_.back();
  }

  /// Empty lines and comments, wherever in a line.
  void noise(std::size_t indent) {
    for (std::size_t left = pick(0, 5); left > 3; --left) {
      // Blanks below a block text would be a line of it.
      text_ += std::string(chance(2) && !after_block_ ? pick(0, 4) : 0, ' ') + "\n";
      if (chance(2) && !after_block_) {
        text_ += std::string(chance(2) ? indent : pick(0, indent + 6), ' ') + comment() + "\n";
      }
    }
  }

  void end_line() {
    text_ += std::string(pick(0, 2), ' ');
    text_ += chance(5) ? " " + comment() : std::string();
    text_ += '\n';
    after_block_ = false;
  }

  static bool is_plain(const YAML::Node& scalar) { return scalar.Tag() == "?"; }

  static bool fits_brackets(const YAML::Node& node) {
    if (node.IsScalar()) {
      return !is_plain(node) || node.Scalar().find_first_of(",[]{}#:\\") == std::string::npos;
    }
    for (const auto& entry : node) {
      if (!(node.IsMap() ? fits_brackets(entry.second) : fits_brackets(entry))) {
        return false;
      }
    }
    return true;
  }

  std::string spelled(const YAML::Node& scalar) {
    const std::string& value = scalar.Scalar();
    if (is_plain(scalar)) {
      return value;
    }
    std::string quoted(1, chance(2) ? '"' : '\'');
    for (const char c : value) {
      if (c == quoted[0] || (quoted[0] == '"' && c == '\\')) {
        quoted += quoted[0] == '"' ? '\\' : '\'';
      }
      quoted += c;
    }
    return quoted + quoted[0];
  }

  std::string key(const std::string& name) { return chance(9) ? "\"" + name + "\"" : name; }

  void gap(std::size_t indent) {
    if (chance(6)) {
      text_ += chance(2) ? " " + comment() + "\n" : "\n";
      text_ += std::string(indent + pick(1, 5), ' ');
    } else {
      text_ += std::string(pick(0, 2), ' ');
    }
  }

  /// A list, mapping or scalar in brackets; its lines are indented by more than `indent`.
  void brackets(const YAML::Node& node, std::size_t indent) {
    if (node.IsScalar()) {
      text_ += spelled(node);
      return;
    }
    text_ += node.IsMap() ? "{" : "[";
    gap(indent);
    std::size_t left = node.size();
    const auto divide = [&] {
      gap(indent);
      text_ += --left > 0 ? ", " : "";
      if (left > 0) {
        gap(indent);
      }
    };
    if (node.IsMap()) {
      for (const auto& [name, value] : shuffled(node)) {
        text_ += key(name) + ": ";
        brackets(value, indent);
        divide();
      }
    } else {
      for (const auto& entry : node) {
        brackets(entry, indent);
        divide();
      }
    }
    text_ += node.IsMap() ? "}" : "]";
  }

  std::vector<std::pair<std::string, YAML::Node>> shuffled(const YAML::Node& map) {
    std::vector<std::string> keys;
    for (const auto& member : map) {
      keys.push_back(member.first.Scalar());
    }
    if (chance(2)) {
      std::shuffle(keys.begin(), keys.end(), random_);
    }
    // Nodes are not moved about: assigning to one changes the document that it is in.
    std::vector<std::pair<std::string, YAML::Node>> members;
    members.reserve(keys.size());
    for (const std::string& name : keys) {
      members.emplace_back(name, map[name]);
    }
    return members;
  }

  /// After `key:` or a dash, at the end of its line.
  void scalar(const YAML::Node& node, std::size_t indent) {
    const std::string& value = node.Scalar();
    const std::size_t space = value.find(' ');
    if (!is_plain(node) && !value.empty() && value.find_first_of(" '\\\"\n") == std::string::npos && chance(4)) {
      text_ += chance(2) ? " |-" : " >-";
      text_ += chance(3) ? " " + comment() + "\n" : "\n";
      text_ += std::string(indent + pick(1, 4), ' ') + value + "\n";
      after_block_ = true;
      return;
    }
    if (is_plain(node) && space != std::string::npos && value.find_first_of("#:") == std::string::npos && chance(4)) {
      text_ += " " + value.substr(0, space) + "\n" + std::string(indent + pick(1, 4), ' ') + value.substr(space + 1);
    } else if (chance(9)) {
      text_ +=
          (chance(2) ? " " + comment() : std::string()) + "\n" + std::string(indent + pick(1, 4), ' ') + spelled(node);
    } else {
      text_ += std::string(pick(1, 3), ' ') + spelled(node);
    }
    end_line();
  }

  void value(const YAML::Node& node, std::size_t indent) {
    if (node.IsScalar()) {
      scalar(node, indent);
    } else if (node.size() == 0 || (fits_brackets(node) && chance(3))) {
      text_ += ' ';
      brackets(node, indent);
      end_line();
    } else {
      end_line();
      if (node.IsMap()) {
        mapping(node, indent + pick(1, 5), false);
      } else {
        list(node, indent + pick(0, 4));
      }
    }
  }

  void mapping(const YAML::Node& node, std::size_t indent, bool after_dash) {
    bool first = true;
    for (const auto& [name, member] : shuffled(node)) {
      if (!(first && after_dash)) {
        noise(indent);
        text_ += std::string(indent, ' ');
      }
      first = false;
      text_ += key(name) + ":";
      value(member, indent);
    }
  }

  void list(const YAML::Node& node, std::size_t indent) {
    for (const auto& entry : node) {
      noise(indent);
      text_ += std::string(indent, ' ') + "-";
      if (entry.IsScalar()) {
        scalar(entry, indent);
      } else if (fits_brackets(entry) && chance(3)) {
        text_ += ' ';
        brackets(entry, indent);
        end_line();
      } else if (chance(6)) {
        end_line();
        mapping(entry, indent + pick(1, 5), false);
      } else {
        const std::size_t spaces = pick(1, 4);
        text_ += std::string(spaces, ' ');
        mapping(entry, indent + 1 + spaces, true);
      }
    }
  }

  std::string finish() {
    if (chance(4)) {
      std::string lines;
      for (const char c : text_) {
        lines += c == '\n' ? "\r\n" : std::string(1, c);
      }
      text_ = std::move(lines);
    }
    return (chance(8) ? "\xef\xbb\xbf" : "") + text_;
  }

  std::mt19937 random_;
  std::string text_;
  std::vector<std::string> comments_;
  bool after_block_ = false;
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("whatever its layout was, a file keeps what it says and every comment, and is laid out once") {
  const char* const worlds = std::getenv("GPUP_WORLDS");
  const unsigned rounds = worlds != nullptr && std::string_view(worlds) == "long" ? 1'000 : 60;
  unsigned seed = 0;
  std::size_t with_comments = 0;
  for (const std::string& good : good_texts()) {
    const json wanted = meaning(good);
    for (unsigned round = 0; round < rounds; ++round) {
      AnyLayout layout(++seed);
      const std::string text = layout.write(YAML::LoadAll(good));
      CAPTURE(seed);
      CAPTURE(text);
      REQUIRE(meaning(text) == wanted);
      const auto result = lay_out("desired.yaml", text);
      REQUIRE_MESSAGE(result, render_diagnostics(result.error().diagnostics));
      CAPTURE(*result);
      CHECK(meaning(*result) == wanted);
      CHECK(laid(*result) == *result);
      CHECK(ugly(*result) == "");
      for (const std::string& comment : layout.comments()) {
        CAPTURE(comment);
        CHECK(count_of(*result, comment + "\n") == 1);
      }
      with_comments += layout.comments().empty() ? 0U : 1U;
    }
  }
  CHECK(with_comments > seed / 2);
}

}  // namespace gpup
