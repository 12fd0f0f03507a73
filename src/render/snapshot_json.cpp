#include "render/snapshot_json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"

namespace gpup {

namespace {

enum class Form : std::uint8_t { kJson, kYaml };

/// Writes objects member by member in either form. In JSON an object is a line; objects with lists of objects in
/// them break before each item. In YAML every member is a line.
class Writer {
 public:
  Writer(Form form, Sink& sink) : form_(form), sink_(sink) {}
  ~Writer() { sink_.write(text_); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void begin_object() {
    if (form_ == Form::kJson) {
      text_ += '{';
    }
    first_ = true;
    ++depth_;
  }

  void end_object() {
    if (form_ == Form::kJson) {
      text_ += '}';
    }
    --depth_;
  }

  /// A list of objects; `item(value)` writes the members of one.
  template <class Values, class Item>
  void list(std::string_view name, const Values& values, Item item) {
    key(name);
    if (values.empty()) {
      text_ += form_ == Form::kJson ? "[]" : " []";
      return;
    }
    if (form_ == Form::kJson) {
      text_ += '[';
    }
    for (const auto& value : values) {
      if (form_ == Form::kJson) {
        const bool own_line = depth_ < kOneLine;
        text_ += &value == &values.front() ? "" : own_line ? "," : ", ";
        if (own_line) {
          text_ += '\n';
          text_.append(2 * depth_, ' ');
        }
      } else {
        text_ += '\n';
        text_.append(4 * depth_ - 2, ' ');
        text_ += "- ";
      }
      begin_object();
      item(value);
      end_object();
      flush();
    }
    first_ = false;
    if (form_ == Form::kJson) {
      text_ += ']';
    }
  }

  void text(std::string_view name, std::string_view value) {
    member(name);
    string(value);
  }
  void text_or_null(std::string_view name, std::string_view value) {
    member(name);
    if (value.empty()) {
      text_ += "null";
    } else {
      string(value);
    }
  }
  /// One of our own words, which needs no quotes in YAML.
  void word(std::string_view name, std::string_view value) {
    member(name);
    if (form_ == Form::kJson) {
      append_json_string(text_, value);
    } else {
      text_ += value;
    }
  }
  template <class Word>
  void word_or_null(std::string_view name, const std::optional<Word>& value) {
    if (value) {
      word(name, to_string(*value));
    } else {
      null(name);
    }
  }
  template <class Number>
  void number(std::string_view name, const std::optional<Number>& value) {
    member(name);
    append_json_number_or_null(text_, value);
  }
  void numbers(std::string_view name, const std::vector<std::uint32_t>& values) {
    member(name);
    text_ += '[';
    for (const std::uint32_t& value : values) {
      text_ += &value == &values.front() ? "" : ", ";
      append_json_number(text_, value);
    }
    text_ += ']';
  }
  void texts(std::string_view name, const std::vector<std::string_view>& values) {
    member(name);
    text_ += '[';
    for (const std::string_view& value : values) {
      text_ += &value == &values.front() ? "" : ", ";
      string(value);
    }
    text_ += ']';
  }
  void boolean(std::string_view name, std::optional<bool> value) {
    member(name);
    if (value) {
      append_json_bool(text_, *value);
    } else {
      text_ += "null";
    }
  }
  void null(std::string_view name) {
    member(name);
    text_ += "null";
  }

  void newline() { text_ += '\n'; }

 private:
  static constexpr std::size_t kOneLine = 3;  ///< lists in objects that are that deep stay on the line

  /// The member's name and colon.
  void key(std::string_view name) {
    if (form_ == Form::kJson) {
      text_ += first_ ? "\"" : ", \"";
      text_ += name;
      text_ += "\": ";
    } else {
      if (!first_) {
        text_ += '\n';
        text_.append(4 * (depth_ - 1), ' ');
      }
      text_ += name;
      text_ += ':';
    }
    first_ = false;
  }
  void member(std::string_view name) {
    key(name);
    if (form_ == Form::kYaml) {
      text_ += ' ';
    }
  }

  /// A JSON string is a double-quoted scalar of YAML, but for two characters that YAML does not take as they are.
  void string(std::string_view value) {
    const std::size_t start = text_.size();
    append_json_string(text_, value);
    if (form_ == Form::kJson) {
      return;
    }
    for (std::size_t at = text_.find("\xef\xbf", start); at != std::string::npos; at = text_.find("\xef\xbf", at + 1)) {
      const char last = text_[at + 2];
      if (last == '\xbe' || last == '\xbf') {
        text_.replace(at, 3, last == '\xbe' ? "\\ufffe" : "\\uffff");
      }
    }
  }

  void flush() {
    if (text_.size() >= kChunk) {
      sink_.write(text_);
      text_.clear();
    }
  }

  Form form_;
  Sink& sink_;
  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;
};

void write_gpu(Writer& out, const Gpu& gpu) {
  out.text("name", gpu.name);
  out.text_or_null("model", gpu.model);
  out.text_or_null("device", gpu.device);
  out.text_or_null("subsystem", gpu.subsystem);
  out.word("status", to_string(gpu.status));
  out.numbers("validPartitionCounts", gpu.valid_partition_counts);
  out.number("partitionCount", gpu.partition_count);
  out.number("totalVram", gpu.total_vram);
  out.number("availableVram", gpu.available_vram);
  out.number("partitionVram", gpu.partition_vram);
  out.number("partitionEncode", gpu.partition_encode);
  out.number("partitionDecode", gpu.partition_decode);
  out.number("partitionCompute", gpu.partition_compute);
}

void write_adapter(Writer& out, const Adapter& adapter) {
  out.text("id", adapter.id);
  out.text_or_null("gpu", adapter.gpu_name);
  out.number("partitionId", adapter.partition_id);
  out.number("vram", adapter.vram);
  out.number("encode", adapter.encode);
  out.number("decode", adapter.decode);
}

void write_vm(Writer& out, const Host& host, const Vm& vm) {
  out.text("name", vm.name);
  out.text("id", vm.id);
  out.text("state", vm.state_name);
  out.boolean("clustered", vm.clustered);
  out.number("generation", vm.generation);
  out.word_or_null("offlineAction", vm.offline_action);
  out.boolean("dynamicMemory", vm.dynamic_memory);
  out.boolean("automaticCheckpoints", vm.automatic_checkpoints);
  if (vm.start_owed) {
    out.boolean("startOwed", true);
  }
  out.list("partitions", host.adapters_of(vm), [&](const Adapter& adapter) { write_adapter(out, adapter); });
}

void write_host(Writer& out, const Host& host) {
  out.text("name", host.name);
  out.number("build", host.build);
  out.word_or_null("edition", host.edition);
  out.boolean("reachable", host.reachable);
  out.text_or_null("error", host.error);
  if (!host.reachable) {  // not checked, never empty
    out.null("gpus");
    out.null("vms");
    return;
  }
  out.list("gpus", host.gpus, [&](const Gpu& gpu) { write_gpu(out, gpu); });
  out.list("vms", host.vms, [&](const Vm& vm) { write_vm(out, host, vm); });
  if (!host.starts_owed.empty()) {
    out.texts("startsOwed", host.starts_owed);
  }
}

void write(const ObservedState& observed, Form form, Sink& sink) {
  Writer out(form, sink);
  out.begin_object();
  out.word("apiVersion", "gpup/v1");
  out.word("kind", "Snapshot");
  out.text_or_null("takenAt", observed.taken_at);
  out.text_or_null("cluster", observed.cluster);
  out.list("hosts", observed.hosts, [&](const Host& host) { write_host(out, host); });
  out.end_object();
  out.newline();
}

}  // namespace

void write_snapshot(const ObservedState& observed, Sink& sink) { write(observed, Form::kJson, sink); }

void write_snapshot_yaml(const ObservedState& observed, Sink& sink) { write(observed, Form::kYaml, sink); }

}  // namespace gpup
