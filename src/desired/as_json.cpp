#include "desired/as_json.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/json_writer.h"
#include "desired/mistakes.h"

namespace gpup {

namespace {

/// Writes each event as it comes.
class JsonEvents final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {
    out_ += documents_ == 0 ? "\n" : ",\n";
    ++documents_;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {
    before();
    out_ += is_key() ? "\"\"" : "null";
    after();
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override { OnNull(mark, anchor); }
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    before();
    append_json_string(out_, value);
    after();
  }
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    begin('[', false);
  }
  void OnSequenceEnd() override { end(']'); }
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    begin('{', true);
  }
  void OnMapEnd() override { end('}'); }

  bool has_documents() const { return documents_ > 0; }
  std::string take() { return "[" + std::move(out_) + "\n]\n"; }

 private:
  struct Open {
    bool mapping = false;
    bool key = false;  ///< the next is a key
    bool empty = true;
  };

  bool is_key() const { return !open_.empty() && open_.back().key; }
  void before() {
    if (open_.empty()) {
      return;
    }
    Open& top = open_.back();
    if ((!top.mapping || top.key) && !top.empty) {
      out_ += ", ";
    }
    top.empty = false;
  }
  void after() {
    if (open_.empty() || !open_.back().mapping) {
      return;
    }
    out_ += open_.back().key ? ": " : "";
    open_.back().key = !open_.back().key;
  }
  void begin(char bracket, bool mapping) {
    before();
    out_ += bracket;
    open_.push_back({mapping, mapping, true});
  }
  void end(char bracket) {
    open_.pop_back();
    out_ += bracket;
    after();
  }

  std::string out_;
  std::vector<Open> open_;
  std::size_t documents_ = 0;
};

}  // namespace

std::optional<std::string> yaml_as_json(std::string_view text) {
  std::istringstream stream{std::string(text)};
  JsonEvents events;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(events)) {
    }
  } catch (const YAML::Exception&) {
    return std::nullopt;
  }
  return events.has_documents() ? std::optional(events.take()) : std::nullopt;
}

std::string without_secret_comments(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    std::size_t hash = line.find('#');
    while (hash != std::string_view::npos && hash > 0 && line[hash - 1] != ' ' && line[hash - 1] != '\t') {
      hash = line.find('#', hash + 1);
    }
    if (hash != std::string_view::npos && holds_secret(line.substr(hash))) {
      out.append(line.substr(0, hash)).append("# (left out)");
    } else {
      out += line;
    }
    if (line.size() < text.size()) {
      out += '\n';
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return out;
}

}  // namespace gpup
