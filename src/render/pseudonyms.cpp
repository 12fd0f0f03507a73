#include "render/pseudonyms.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "base/text.h"
#include "desired/scalars.h"
#include "observed/json_reader.h"

namespace gpup {

namespace {

constexpr std::uint64_t kLargest = 1024ULL * 1024 * 1024;
constexpr std::string_view kGuidStart = "00000000-0000-4000-8000-";
constexpr std::string_view kBlank = " \t\r\n";

/// Part of a name: what comes beside it does not begin another.
bool is_inside(char c) { return is_digit(c) || is_letter(c) || c == '_' || c == '-' || (c & '\x80') != 0; }

/// Numbers, times, sizes, durations, versions of Windows, runs: what begins with a digit and has little else.
bool is_quantity(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  constexpr std::array<std::string_view, 10> kUnits = {"", "s", "m", "h", "B", "KiB", "MiB", "GiB", "TiB", "%"};
  if (text.empty() || text.size() > kLongest || !is_digit(text.front())) {
    return false;
  }
  if (text.find_first_not_of("0123456789:") == std::string_view::npos) {  // also a time of day
    return true;
  }
  const std::string_view unit = text.substr(std::min(text.find_first_not_of("0123456789"), text.size()));
  if (std::find(kUnits.begin(), kUnits.end(), unit) != kUnits.end()) {
    return true;
  }
  // 2026-11-22, 2026-11-22T08:41:00.250Z, 20261126T084100.250Z-4711
  constexpr std::size_t kYear = 4;
  return text.size() >= 10 && std::all_of(text.begin(), text.begin() + kYear, is_digit) &&
         (text[kYear] == '-' || text.find('T') == 8) &&
         text.find_first_not_of("0123456789-:.TZ") == std::string_view::npos;
}

/// Kinds that compare without the case of letters.
bool is_folded(std::string_view kind) {
  return kind == "host" || kind == "id" || kind == "gpu" || kind == "cluster" || kind == "address" || kind == "user";
}

/// Where a string stands: the name of its member, and that of the member that holds its object.
struct Stand {
  std::string_view key;
  std::string_view owner;
};

/// What a string there names; empty where that is not known by its place.
std::string_view kind_of(const Stand& at, std::string_view value) {
  struct Row {
    std::string_view key;
    std::string_view owner;  ///< empty: any
    std::string_view kind;
  };
  static constexpr std::array kRows = {
      Row{"name", "hosts", "host"},
      Row{"name", "gpus", "gpu"},
      Row{"name", "vms", "vm"},
      Row{"name", "cluster", "cluster"},
      Row{"name", "groups", "group"},
      Row{"name", "signedBy", "user"},
      Row{"name", "", "name"},
      Row{"before", "hooks", "argument"},
      Row{"after", "hooks", "argument"},
      Row{"onFailure", "hooks", "argument"},
      Row{"reason", "override", "reason"},
      Row{"reason", "ignore", "reason"},
      Row{"ignoresWindow", "", "reason"},
      Row{"host", "who", "address"},
      Row{"host", "", "host"},
      Row{"hosts", "", "host"},
      Row{"vm", "", "vm"},
      Row{"vms", "", "vm"},
      Row{"vmId", "", "id"},
      Row{"adapter", "", "id"},
      Row{"found", "", "id"},
      Row{"id", "", "id"},
      Row{"gpu", "", "gpu"},
      Row{"cluster", "", "cluster"},
      Row{"user", "", "user"},
      Row{"address", "", "address"},
      Row{"hostName", "", "address"},
      Row{"configurationName", "", "name"},
      Row{"file", "", "path"},
      Row{"path", "", "path"},
      Row{"folder", "", "path"},
      Row{"identityFile", "", "path"},
      Row{"knownHosts", "", "path"},
      Row{"powershell", "", "path"},
      Row{"sha256", "", "digest"},
      Row{"plan", "", "digest"},
      Row{"match", "", "pattern"},
      Row{"zone", "", "zone"},
  };
  if (value.starts_with(kSha256Prefix)) {
    return "digest";
  }
  const auto* const row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& one) {
    return one.key == at.key && (one.owner.empty() || one.owner == at.owner);
  });
  return row == kRows.end() ? std::string_view() : row->kind;
}

/// Texts for people.
bool is_text(std::string_view key) {
  static constexpr std::array<std::string_view, 8> kTexts = {"message", "hint", "reason",  "error",
                                                             "seen",    "mend", "command", "why"};
  return std::find(kTexts.begin(), kTexts.end(), key) != kTexts.end();
}

/// What comes from tables of ours, or from the maker of a card.
bool is_public(std::string_view key) {
  static constexpr std::array<std::string_view, 11> kPublic = {
      "model", "device", "subsystem", "check", "title", "statement", "document", "rule", "driver", "gpup", "system"};
  return std::find(kPublic.begin(), kPublic.end(), key) != kPublic.end();
}

}  // namespace

/// Goes through a document. Without an output it only takes names.
class Pseudonyms::Walk {
 public:
  Walk(Pseudonyms& names, std::string* out) : names_(names), out_(out) {}

  bool document(std::string_view text) {
    JsonReader reader{std::string(text), {}, kLargest, "the document"};
    return reader.start() && value(reader, {}) && reader.finish() && !reader.failed();
  }

 private:
  void put(std::string_view text) {
    if (out_ != nullptr) {
      *out_ += text;
    }
  }
  void put_string(std::string_view text) {
    if (out_ != nullptr) {
      append_json_string(*out_, text);
    }
  }

  bool value(JsonReader& reader, const Stand& at) {
    switch (reader.peek()) {
      case '{':
        return object(reader, at);
      case '[':
        return list(reader, at);
      case '"': {
        const auto text = reader.string();
        if (!text) {
          return false;
        }
        string(at, std::string(*text));
        return !reader.dead();
      }
      default:
        put(reader.raw());
        return reader.skip();
    }
  }

  bool object(JsonReader& reader, const Stand& at) {
    put("{");
    bool first = true;
    const bool whole = reader.members([&](std::string_view name) {
      const std::string key(name);
      put(std::exchange(first, false) ? "" : ", ");
      // A member that no format has is a name.
      put_string(names_.is_word(key) || out_ == nullptr ? key : names_.stand_in("name", key));
      put(": ");
      return value(reader, {key, at.key});
    });
    put("}");
    return whole;
  }

  bool list(JsonReader& reader, const Stand& at) {
    put("[");
    bool first = true;
    const bool whole = reader.list([&] {
      put(std::exchange(first, false) ? "" : ",\n ");
      return value(reader, at);
    });
    put("]");
    return whole;
  }

  void string(const Stand& at, const std::string& text) {
    if (at.key == "model") {
      names_.models_.insert(text);
    }
    const std::string_view kind = kind_of(at, text);
    const bool is_model = at.key == "gpu" && names_.models_.contains(text);
    if (!kind.empty() && !is_model) {
      put_string(names_.stand_in(kind, text));
    } else if (out_ == nullptr) {
      return;
    } else if (is_text(at.key)) {
      put_string(names_.text(text));
    } else if (is_model || is_public(at.key) || text.empty() || names_.is_word(text) || is_quantity(text)) {
      put_string(text);
    } else {
      put_string(names_.stand_in("text", text));
    }
  }

  Pseudonyms& names_;
  std::string* out_;
};

const std::string* Pseudonyms::find(std::string_view value) const {
  auto found = names_.find(value);
  if (found == names_.end()) {
    found = names_.find(fold_case(value));
  }
  return found == names_.end() ? nullptr : &found->second;
}

std::string Pseudonyms::stand_in(std::string_view kind, std::string_view value) {
  if (value.empty()) {
    return {};
  }
  if (const std::string* const known = find(value)) {
    return *known;
  }
  std::size_t& count = counts_[std::string(kind)];
  ++count;
  std::string name = is_guid(value) ? fmt::format("{}{:012}", kGuidStart, count) : fmt::format("{}-{}", kind, count);
  stand_ins_.insert(name);
  for (const std::string& spelled : {std::string(value), escape_terminal(value)}) {
    lengths_.insert(spelled.size());
    names_.try_emplace(is_folded(kind) ? fold_case(spelled) : spelled, name);
  }
  // Messages name a file by its last part, a user without the domain.
  const std::size_t part = kind == "path" ? value.find_last_of("/\\") : kind == "user" ? value.find_last_of('\\') : 0;
  if (part != std::string_view::npos && part > 0 && part + 1 < value.size()) {
    stand_in(kind, value.substr(part + 1));
  }
  return name;
}

bool Pseudonyms::learn(std::string_view document) {
  Walk walk(*this, nullptr);
  if (walk.document(document)) {
    return true;
  }
  bool whole = false;
  while (!document.empty()) {
    const std::size_t end = document.find('\n');
    if (end == std::string_view::npos) {
      break;  // a line that was cut off
    }
    whole = walk.document(document.substr(0, end));
    if (!whole) {
      return false;
    }
    document.remove_prefix(end + 1);
  }
  return whole;
}

std::optional<std::string> Pseudonyms::write(std::string_view document) {
  for (const std::string& model : models_) {
    names_.erase(model);  // a file may say `gpu: MODEL` before it is known for one
  }
  std::string out;
  if (Walk(*this, &out).document(document)) {
    out += '\n';
    return out;
  }
  out.clear();
  for (std::size_t end = document.find('\n'); end != std::string_view::npos; end = document.find('\n')) {
    std::string line;
    if (!Walk(*this, &line).document(document.substr(0, end))) {
      return std::nullopt;
    }
    std::replace(line.begin(), line.end(), '\n', ' ');  // between values: strings have none
    out += line;
    out += '\n';
    document.remove_prefix(end + 1);
  }
  return out.empty() ? std::nullopt : std::optional(std::move(out));
}

std::string Pseudonyms::text(std::string_view text) { return unknown_names(known_names(text)); }

/// With stand-ins for the names of the documents, the longest first.
std::string Pseudonyms::known_names(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || !is_inside(text[at]) || !is_inside(text[at - 1]);
    const std::string* name = nullptr;
    std::size_t size = 0;
    for (auto length = lengths_.rbegin(); begins && name == nullptr && length != lengths_.rend(); ++length) {
      size = *length;
      const std::size_t end = at + size;
      if (size > 0 && end <= text.size() &&
          (end == text.size() || !is_inside(text[end]) || !is_inside(text[end - 1]))) {
        name = find(text.substr(at, size));
      }
    }
    if (name != nullptr) {
      out += *name;
      at += size;
    } else {
      out += text[at++];
    }
  }
  return out;
}

/// A word of a text, without blanks and quotes.
std::string Pseudonyms::word(std::string_view word) {
  constexpr std::string_view kBefore = "([{<";
  constexpr std::string_view kAfter = ".,:;)]}>!?";
  const std::size_t begin = word.find_first_not_of(kBefore);
  const std::size_t last = word.find_last_not_of(kAfter);
  if (begin == std::string_view::npos || last == std::string_view::npos || last < begin) {
    return std::string(word);
  }
  const std::string_view core = word.substr(begin, last + 1 - begin);
  const auto dots = std::count(core.begin(), core.end(), '.');
  const bool address = dots >= 2 || std::count(core.begin(), core.end(), ':') >= 3;
  const bool names = (is_guid(core) && !core.starts_with(kGuidStart)) ||
                     core.find_first_of("@\\/") != std::string_view::npos || (address && !is_quantity(core));
  if (!names || is_word(core) || stand_ins_.contains(core)) {
    return std::string(word);
  }
  return std::string(word.substr(0, begin)) + stand_in("text", core) + std::string(word.substr(last + 1));
}

/// Moves a word, told as it may be, and the blanks behind it from `text` to `out`.
void Pseudonyms::take_word(std::string_view& text, std::size_t size, std::string& out) {
  out += word(text.substr(0, size));
  text.remove_prefix(size);
  const std::size_t blanks = std::min(text.find_first_not_of(kBlank), text.size());
  out += text.substr(0, blanks);
  text.remove_prefix(blanks);
}

std::string Pseudonyms::words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kBlank), text.size());
    take_word(text, end, out);
  }
  return out;
}

/// With stand-ins for whatever looks like a name.
std::string Pseudonyms::unknown_names(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t blank = text.find_first_of(kBlank);
    const std::size_t quote =
        text.front() == '\'' || text.front() == '"' ? text.find(text.front(), 1) : std::string_view::npos;
    if (quote != std::string_view::npos && (out.empty() || !is_inside(out.back()))) {
      const std::string_view quoted = text.substr(1, quote - 1);
      const bool ours = quoted.empty() || is_word(quoted) || stand_ins_.contains(quoted) ||
                        quoted.starts_with("gpup ") || quoted.starts_with("--");
      out += text.front();
      out += ours ? words(quoted) : stand_in("text", quoted);
      out += text.front();
      text.remove_prefix(quote + 1);
      continue;
    }
    const std::size_t end = std::min({blank, text.find_first_of("'\"", 1), text.size()});
    take_word(text, end, out);
  }
  return out;
}

}  // namespace gpup
