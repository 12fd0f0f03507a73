#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "execute/changes.h"
#include "observed/json_reader.h"
#include "render/plan_json.h"
#include "render/plan_words.h"
#include "render/receipt.h"
#include "render/report.h"

namespace gpup {

namespace {

constexpr std::string_view kReceiptHead = "{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Receipt\",\n\"id\": \"sha256:";
constexpr std::size_t kDigits = 64;
constexpr std::uint32_t kIdLine = 4;

/// Of all bytes but the id's digits.
std::string digest_of(std::string_view text) {
  Sha256 digest;
  digest.update(kReceiptHead);
  digest.update(text.substr(kReceiptHead.size() + kDigits));
  return digest.hex();
}

// Writing -------------------------------------------------------------------------------------------------------------

class ReceiptJson {
 public:
  ReceiptJson(const Plan& plan, const Report& report, const ReceiptHead& head)
      : plan_(plan), report_(report), head_(head) {}

  std::string write() {
    StringSink out;
    out.write(kReceiptHead);
    out.write(std::string(kDigits, '0'));
    write_head();
    write_changes();
    write_overrides();
    out.write(text_);
    out.write(",\n");
    render_report_members(plan_, report_, out);
    out.write("\n}\n");
    const std::string id = digest_of(out.text);
    out.text.replace(kReceiptHead.size(), kDigits, id);
    return std::move(out.text);
  }

 private:
  void member(std::string_view name, std::string_view value) { append_json_member(text_, name, value); }

  void write_head() {
    member("\",\n\"previous\": ", head_.previous);
    member(",\n\"gpup\": ", head_.version);
    member(",\n\"run\": ", head_.run);
    member(",\n\"who\": {\"user\": ", head_.who.user);
    member(", \"host\": ", head_.who.host);
    member("},\n\"commit\": ", head_.commit);
    member(",\n\"commitFrom\": ", head_.commit_from);
    member(",\n\"plan\": {\"id\": ", plan_id(plan_));
    text_ += ", \"name\": ";
    append_json_string(text_, plan_.name);
    text_ += ", \"signedBy\": ";
    if (head_.plan_signer) {
      member("{\"name\": ", head_.plan_signer->name);
      member(", \"key\": ", head_.plan_signer->key);
      text_ += '}';
    } else {
      text_ += "null";
    }
    text_ += ", \"files\": [";
    std::string_view separator;
    for (const PlanFile& file : plan_.files) {
      text_ += std::exchange(separator, ", ");
      member("{\"path\": ", file.path);
      member(", \"sha256\": ", file.sha256);
      text_ += '}';
    }
    text_ += "]}";
  }

  void write_value(Property property, std::uint32_t value) {
    if (value == kNone) {
      text_ += "null";
    } else if (is_number(property)) {
      append_json_number(text_, value);
    } else {
      append_json_string(text_, property_word(property, value));
    }
  }

  template <class Names>
  void write_gpus(const Names& names) {
    text_ += '[';
    std::string_view separator;
    for (const auto& name : names) {
      text_ += std::exchange(separator, ", ");
      append_json_string_or_null(text_, name);
    }
    text_ += ']';
  }

  void write_values(const Difference& difference, const Change& change) {
    if (difference.property == Property::kPartitions) {
      const PlanVm& vm = plan_.vms[difference.index];
      held_gpus(plan_, vm, false, held_);
      text_ += ", \"before\": ";
      write_gpus(held_);
      held_gpus(plan_, vm, true, held_);
      text_ += ", \"wanted\": ";
      write_gpus(held_);
      text_ += ", \"after\": ";
      if (change.known()) {
        write_gpus(change.gpus);
      } else {
        text_ += "null";
      }
      return;
    }
    text_ += ", \"before\": ";
    write_value(difference.property, difference.before);
    text_ += ", \"wanted\": ";
    write_value(difference.property, difference.after);
    text_ += ", \"after\": ";
    if (change.state == Change::State::kAsWanted || change.state == Change::State::kAsBefore) {
      write_value(difference.property, change.state == Change::State::kAsWanted ? difference.after : difference.before);
    } else {
      text_ += "null";
    }
  }

  void write_changes() {
    const std::vector<Change> changes = changes_of(plan_, report_);
    text_ += ",\n\"changes\": [";
    std::string_view separator = "\n";
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const Difference& difference = plan_.differences[i];
      const bool of_gpu = difference.subject == Subject::kGpu;
      text_ += std::exchange(separator, ",\n");
      const std::uint32_t host = of_gpu ? plan_.gpus[difference.index].host : plan_.vms[difference.index].host;
      member("{\"host\": ", plan_.hosts[host].name);
      member(", \"object\": ", of_gpu ? "gpu" : "vm");
      member(", \"name\": ", of_gpu ? plan_.gpus[difference.index].name : plan_.vms[difference.index].name);
      member(", \"vmId\": ", of_gpu ? std::string_view() : plan_.vms[difference.index].id);
      member(", \"property\": ", to_string(difference.property));
      write_values(difference, changes[i]);
      member(", \"state\": ", to_string(changes[i].state));
      text_ += '}';
    }
    text_ += ']';
  }

  void write_overrides() {
    text_ += ",\n\"overrides\": [";
    std::string_view separator = "\n";
    for (const Override& one : overrides_of(plan_, head_)) {
      text_ += std::exchange(separator, ",\n");
      member("{\"by\": ", one.by);
      member(", \"what\": ", one.what);
      member(", \"reason\": ", one.reason);
      text_ += '}';
    }
    text_ += ']';
  }

  const Plan& plan_;
  const Report& report_;
  const ReceiptHead& head_;
  std::string text_;
  std::vector<std::string_view> held_;
};

// Reading -------------------------------------------------------------------------------------------------------------

tl::unexpected<Error> broken(const std::string& path, std::uint32_t line, std::string message, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.code = Code::kReceiptBroken;
  diagnostic.file = path;
  diagnostic.line = line;
  diagnostic.column = 1;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  return fail({std::move(diagnostic)});
}

bool exit_code_of(JsonReader& reader, ReadReceipt& receipt) {
  constexpr std::uint64_t kMostExitCode = 255;
  receipt.exit_code = reader.number(0, kMostExitCode).value_or(0);
  return !reader.dead();
}

bool who(JsonReader& reader, ReadReceipt& receipt) {
  static constexpr std::array<Member<JsonReader, ReadReceipt>, 2> kMembers = {{
      {"user", true, take_text<&ReadReceipt::user>},
      {"host", true, take_text<&ReadReceipt::host>},
  }};
  return reader.object(kMembers, reader, receipt, "whose run it was");
}

bool plan_members(JsonReader& reader, ReadReceipt& receipt) {
  static constexpr std::array<Member<JsonReader, ReadReceipt>, 2> kMembers = {{
      {"id", true, take_text<&ReadReceipt::plan>},
      {"name", true, take_text<&ReadReceipt::plan_name>},
  }};
  return reader.object(kMembers, reader, receipt, "a plan");
}

constexpr std::array<Member<JsonReader, ReadReceipt>, 9> kReceiptMembers = {{
    {"id", true, take_text<&ReadReceipt::id>},
    {"previous", true, take_text<&ReadReceipt::previous>},
    {"run", true, take_text<&ReadReceipt::run>},
    {"who", true, who},
    {"commit", true, take_text<&ReadReceipt::commit>},
    {"plan", true, plan_members},
    {"exitCode", true, exit_code_of},
    {"startedAt", true, take_text<&ReadReceipt::started>},
    {"endedAt", true, take_text<&ReadReceipt::ended>},
}};

}  // namespace

std::string render_receipt(const Plan& plan, const Report& report, const ReceiptHead& head) {
  return ReceiptJson(plan, report, head).write();
}

std::string_view receipt_id(std::string_view receipt) {
  return receipt.substr(kReceiptHead.size() - kSha256Prefix.size(), kSha256Prefix.size() + kDigits);
}

Result<ReadReceipt> read_receipt(const std::string& text, const std::string& path) {
  if (!text.starts_with(kReceiptHead) || text.size() < kReceiptHead.size() + kDigits) {
    return broken(path, 1, "this is not a receipt that gpup wrote", "gpup apply --receipt FILE writes one");
  }
  if (digest_of(text) != std::string_view(text).substr(kReceiptHead.size(), kDigits)) {
    return broken(path, kIdLine,
                  text.ends_with("\n}\n")
                      ? "this receipt was changed after it was written: its content does not give its id"
                      : "this receipt is cut off, or was changed after it was written",
                  "take it from where it was kept when the run ended");
  }
  JsonReader reader(text, path, kLargestReceipt, "the receipt");
  ReadReceipt receipt;
  if (reader.start() && reader.object(kReceiptMembers, reader, receipt, "a receipt")) {
    reader.finish();
  }
  if (reader.failed()) {
    Diagnostics wrong = reader.take_diagnostics();
    wrong.resize(1);
    wrong.front().code = Code::kReceiptBroken;
    return fail(std::move(wrong));
  }
  receipt.sha256 = std::string(kSha256Prefix) + sha256_hex(text);
  return receipt;
}

}  // namespace gpup
