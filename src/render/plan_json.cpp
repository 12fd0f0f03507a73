#include "render/plan_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

/// Bytes on their way out, gathered to chunks.
class Chunks {
 public:
  /// `sink` and `digest` may be null. `text` must hold nothing but what was written so far.
  Chunks(Sink* sink, Sha256* digest)
      : sink_(sink),
        digest_(digest),
        capacity_(kChunk),
        buffer_(std::make_unique_for_overwrite<char[]>(kChunk)),
        at_(buffer_.get()) {}

  // A literal: its length is known here, and the copy a few instructions.
  template <std::size_t N>
  void text(const char (&literal)[N]) {
    room(N);
    std::memcpy(at_, static_cast<const char*>(literal), N - 1);
    at_ += N - 1;
  }
  void text(std::string_view bytes) {
    room(bytes.size());
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void string(std::string_view value) {
    room(json_string_bound(value));
    at_ = write_json_string(at_, value);
  }
  void number(std::uint64_t value) {
    room(kNumber);
    at_ = write_json_number(at_, value);
  }
  void string_or_null(std::string_view value) { value.empty() ? text("null") : string(value); }

  /// Bytes that are no part of the digest.
  void undigested(std::string_view bytes) {
    flush();
    if (sink_ != nullptr) {
      sink_->write(bytes);
    }
    written_ += bytes.size();
  }

  void flush() {
    const std::string_view bytes(buffer_.get(), static_cast<std::size_t>(at_ - buffer_.get()));
    if (digest_ != nullptr) {
      digest_->update(bytes);
    }
    if (sink_ != nullptr) {
      sink_->write(bytes);
    }
    written_ += bytes.size();
    at_ = buffer_.get();
  }

  /// How many bytes were flushed.
  std::uint64_t written() const { return written_; }

 private:
  static constexpr std::size_t kChunk = 128UL * 1024;
  static constexpr std::size_t kNumber = 20;

  void room(std::size_t size) {
    if (static_cast<std::size_t>(buffer_.get() + capacity_ - at_) < size) {
      make_room(size);
    }
  }
  void make_room(std::size_t size) {
    flush();
    if (size > capacity_) {
      capacity_ = size;
      buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
      at_ = buffer_.get();
    }
  }

  Sink* sink_;
  Sha256* digest_;
  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  char* at_;
  std::uint64_t written_ = 0;
};

/// What stands between the elements of a list: each on a line of its own.
class Lines {
 public:
  explicit Lines(Chunks& out) : out_(out) { out_.text("["); }
  void next() {
    out_.text(first_ ? "\n" : ",\n");
    first_ = false;
  }
  void end() { out_.text(first_ ? "]" : "\n]"); }

 private:
  Chunks& out_;
  bool first_ = true;
};

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

class PlanJson {
 public:
  PlanJson(const Plan& plan, Chunks& out) : plan_(plan), out_(out) {
    for (const HostTarget& host : plan.hosts) {
      hosts_.push_back("\"host\":" + json(host.name));
    }
    for (const PlanFile& file : plan.files) {
      files_.push_back("{\"file\":" + json(file.path) + ",\"line\":");
    }
    for (const PlanGpu& gpu : plan.gpus) {
      gpus_.push_back(json(gpu.name));
    }
  }

  /// Writes all of it; `id` are the 64 digits. Returns their offset.
  std::uint64_t write(std::string_view id) {
    out_.text("{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Plan\",\n\"id\": \"sha256:");
    out_.flush();
    const std::uint64_t id_at = out_.written();
    out_.undigested(id);
    out_.text("\",\n\"name\": ");
    out_.string(plan_.name);
    write_head();
    write_facts();
    write_differences();
    write_steps();
    write_after_owed();
    write_owed_starts();
    write_tail();
    out_.flush();
    return id_at;
  }

 private:
  void write_head() {
    out_.text(",\n\"desired\": {\"files\": ");
    Lines files(out_);
    for (const PlanFile& file : plan_.files) {
      files.next();
      out_.text("{\"path\":");
      out_.string(file.path);
      out_.text(",\"sha256\":");
      out_.string(file.sha256);
      out_.text("}");
    }
    files.end();
    out_.text("},\n\"hosts\": ");
    Lines hosts(out_);
    for (const HostTarget& host : plan_.hosts) {
      hosts.next();
      out_.text("{\"name\":");
      out_.string(host.name);
      out_.text(",\"connect\":");
      write_connect(host.connect);
      out_.text("}");
    }
    hosts.end();
    write_cluster();
    out_.text(",\n\"policy\": {\"stop\":{\"mode\":\"");
    out_.text(to_string(plan_.stop.mode));
    out_.text("\",\"timeout\":\"");
    out_.number(static_cast<std::uint64_t>(std::max<std::chrono::seconds::rep>(plan_.stop.timeout.count(), 0)));
    out_.text("s\"}");
    if (plan_.window) {
      write_window(*plan_.window);
    }
    if (plan_.hooks.any()) {
      write_hooks(plan_.hooks);
    }
    out_.text("}");
  }

  void write_hooks(const HookPolicy& hooks) {
    out_.text(",\"hooks\":{");
    const auto words = [&](std::string_view name, const std::vector<std::string>& argv) {
      std::string_view between = name;
      for (const std::string& word : argv) {
        out_.text(between);
        out_.string(word);
        between = ",";
      }
      out_.text(argv.empty() ? "" : "],");
    };
    words("\"before\":[", hooks.before);
    words("\"after\":[", hooks.after);
    words("\"onFailure\":[", hooks.on_failure);
    out_.text("\"timeout\":\"");
    out_.number(static_cast<std::uint64_t>(std::max<std::chrono::seconds::rep>(hooks.timeout.count(), 0)));
    out_.text("s\"}");
  }

  void write_window(const Window& window) {
    out_.text(",\"window\":{\"days\":[");
    bool first = true;
    for (std::uint8_t day = 0; day < 7; ++day) {
      if (window.has(static_cast<Weekday>(day))) {
        out_.text(std::exchange(first, false) ? "\"" : ",\"");
        out_.text(to_string(static_cast<Weekday>(day)));
        out_.text("\"");
      }
    }
    out_.text("],\"from\":\"");
    out_.text(time_of_day(window.from));
    out_.text("\",\"to\":\"");
    out_.text(time_of_day(window.to));
    out_.text("\",\"zone\":");
    out_.string(window.zone);
    out_.text("}");
  }

  void write_cluster() {
    if (plan_.cluster.name.empty()) {
      return;
    }
    out_.text(",\n\"cluster\": {\"name\":");
    out_.string(plan_.cluster.name);
    out_.text(",\"others\":");
    Lines lines(out_);
    for (const PlanCluster::Others& others : plan_.cluster.others) {
      lines.next();
      out_.text("{\"model\":");
      out_.string_or_null(others.model);
      out_.text(",\"partitionCount\":");
      write_value(Property::kPartitionCount, others.partition_count);
      out_.text(",\"gpus\":");
      out_.number(others.gpus);
      out_.text("}");
    }
    lines.end();
    out_.text("}");
  }

  void write_connect(const Connect& connect) {
    out_.text("{\"transport\":\"");
    out_.text(to_string(connect.transport));
    out_.text("\"");
    const auto member = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) {
        out_.text(name);
        out_.string(value);
      }
    };
    member(",\"file\":", connect.file);
    member(",\"powershell\":", connect.powershell);
    member(",\"address\":", connect.address);
    member(",\"hostName\":", connect.host_name);
    if (connect.port) {
      out_.text(",\"port\":");
      out_.number(*connect.port);
    }
    member(",\"user\":", connect.user);
    member(",\"identityFile\":", connect.identity_file);
    member(",\"knownHosts\":", connect.known_hosts);
    member(",\"configurationName\":", connect.configuration_name);
    out_.text("}");
  }

  void write_facts() {
    out_.text(",\n\"facts\": ");
    Lines lines(out_);
    std::uint64_t id = 0;
    for (const Fact& fact : plan_.facts) {
      lines.next();
      out_.text("{\"id\":");
      out_.number(++id);
      out_.text(",");
      write_subject(fact.subject, fact.index);
      write_model(fact.subject, fact.index);
      out_.text(",\"property\":\"");
      out_.text(to_string(fact.property));
      out_.text("\",\"value\":");
      if (fact.property == Property::kPartitions) {
        write_adapters(plan_.vms[fact.index]);
      } else {
        write_value(fact.property, fact.value);
      }
      out_.text("}");
    }
    lines.end();
  }

  void write_differences() {
    out_.text(",\n\"differences\": ");
    Lines lines(out_);
    for (const Difference& difference : plan_.differences) {
      lines.next();
      out_.text("{");
      write_subject(difference.subject, difference.index);
      write_model(difference.subject, difference.index);
      if (difference.subject == Subject::kVm) {
        out_.text(plan_.vms[difference.index].place.known() ? ",\"listed\":true" : ",\"listed\":false");
      }
      out_.text(",\"property\":\"");
      out_.text(to_string(difference.property));
      out_.text("\",\"before\":");
      if (difference.property == Property::kPartitions) {
        const PlanVm& vm = plan_.vms[difference.index];
        write_held(vm, false);
        out_.text(",\"after\":");
        write_held(vm, true);
      } else {
        write_value(difference.property, difference.before);
        out_.text(",\"after\":");
        write_value(difference.property, difference.after);
      }
      if (difference.subject == Subject::kGpu) {
        out_.text(",\"partitionVramBefore\":");
        write_optional(plan_.gpus[difference.index].vram_before);
        out_.text(",\"partitionVramAfter\":");
        write_optional(plan_.gpus[difference.index].vram_after);
      }
      out_.text(",\"source\":");
      write_place(difference.source);
      out_.text("}");
    }
    lines.end();
  }

  void write_steps() {
    out_.text(",\n\"steps\": ");
    Lines lines(out_);
    for (std::uint32_t i = 0; i < plan_.steps.size(); ++i) {
      const Step& step = plan_.steps[i];
      lines.next();
      out_.text("{\"id\":");
      out_.number(i + 1UL);
      out_.text(",\"op\":\"");
      out_.text(to_string(step.op));
      out_.text("\",");
      write_target(step);
      out_.text(",\"after\":[");
      bool first = true;
      for (const std::uint32_t earlier : plan_.after_of(step)) {
        if (!first) {
          out_.text(",");
        }
        first = false;
        out_.number(earlier + 1UL);
      }
      out_.text("],\"reason\":");
      out_.text(reason(i));
      out_.text("}");
    }
    lines.end();
  }

  // Several steps of a VM have the same reason, mostly one after the other.
  const std::string& reason(std::uint32_t index) {
    const Step& step = plan_.steps[index];
    const bool of_vm = step.vm != kNone && step.reason != Reason::kText && step.reason != Reason::kOfflineAction;
    if (!of_vm || step.vm != reason_vm_ || step.reason != reason_kind_) {
      words_.clear();
      append_reason(plan_, index, words_);
      reason_.clear();
      append_json_string(reason_, words_);
      reason_vm_ = of_vm ? step.vm : kNone;
      reason_kind_ = step.reason;
    }
    return reason_;
  }

  // `"vm":"vdi-01","vmId":"711c..."`
  const std::string& vm_members(std::uint32_t index) {
    if (index != vm_) {
      vm_ = index;
      vm_members_ = "\"vm\":";
      append_json_string(vm_members_, plan_.vms[index].name);
      vm_members_ += ",\"vmId\":";
      append_json_string(vm_members_, plan_.vms[index].id);
    }
    return vm_members_;
  }

  // `"host":"hv-e1","vm":"vdi-01","vmId":"711c..."`
  void write_vm(std::uint32_t index) {
    out_.text(hosts_[plan_.vms[index].host]);
    out_.text(",");
    out_.text(vm_members(index));
  }

  // A GPU's name as adapters say it, or null. Many adapters share the text of one name.
  void write_gpu_name(std::string_view name) {
    if (name.empty()) {
      out_.text("null");
      return;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(name.data());
    NamedGpu& known = named_gpus_.at((address >> 4U ^ address >> 10U) % kNamedGpus);
    if (known.name.data() != name.data() || known.name.size() != name.size()) {
      known.name = name;
      known.json.clear();
      append_json_string(known.json, name);
    }
    out_.text(known.json);
  }

  void write_target(const Step& step) {
    if (step.op == Op::kSetPartitionCount) {
      out_.text(hosts_[plan_.gpus[step.gpu].host]);
      out_.text(",\"gpu\":");
      out_.text(gpus_[step.gpu]);
      out_.text(",\"from\":");
      write_value(Property::kPartitionCount, step.from);
      out_.text(",\"to\":");
      write_value(Property::kPartitionCount, step.to);
      return;
    }
    const PlanVm& vm = plan_.vms[step.vm];
    write_vm(step.vm);
    if (step.op == Op::kUnassignPartition) {
      out_.text(",\"adapter\":");
      out_.string(plan_.adapters[step.adapter].id);
    } else if (step.op == Op::kAssignPartition) {
      out_.text(",\"gpu\":");
      out_.text(step.gpu == kNone ? std::string_view("null") : gpus_[step.gpu]);
      if (vm.min_vram != 0) {
        out_.text(",\"minVram\":");
        out_.number(vm.min_vram);
      }
      out_.text(",\"source\":");
      write_place(vm.place);
    } else if (step.op == Op::kSetOfflineAction) {
      out_.text(",\"from\":");
      write_value(Property::kOfflineAction, step.from);
      out_.text(",\"to\":");
      write_value(Property::kOfflineAction, step.to);
    }
  }

  void write_after_owed() {
    if (plan_.after_owed.empty()) {
      return;
    }
    out_.text(",\n\"afterOwed\": ");
    Lines lines(out_);
    for (const std::uint32_t index : plan_.after_owed) {
      lines.next();
      out_.text("{");
      write_vm(index);
      out_.text("}");
    }
    lines.end();
  }

  void write_owed_starts() {
    if (plan_.owed_starts.empty()) {
      return;
    }
    out_.text(",\n\"owedStarts\": ");
    Lines lines(out_);
    for (const OwedStart& owed : plan_.owed_starts) {
      lines.next();
      out_.text("{");
      write_vm(owed.vm);
      out_.text(",\"recordedOn\":");
      out_.string(plan_.hosts[owed.host].name);
      out_.text("}");
    }
    lines.end();
  }

  void write_tail() {
    out_.text(",\n\"summary\": {");
    const std::array<std::uint64_t, kOps> summary = plan_.summary();
    for (std::size_t op = 0; op < kOps; ++op) {
      out_.text(op == 0 ? "\"" : ",\"");
      out_.text(to_string(static_cast<Op>(op)));
      out_.text("\":");
      out_.number(summary.at(op));
    }
    out_.text("},\n\"diagnostics\": ");
    Lines diagnostics(out_);
    for (const Diagnostic& diagnostic : plan_.diagnostics) {
      diagnostics.next();
      write_diagnostic(diagnostic);
    }
    diagnostics.end();
    out_.text(",\n\"notChecked\": ");
    Lines not_checked(out_);
    for (const NotChecked& host : plan_.not_checked) {
      not_checked.next();
      out_.text("{\"host\":");
      out_.string(host.host);
      out_.text(",\"error\":");
      out_.string(host.error);
      out_.text("}");
    }
    not_checked.end();
    out_.text("\n}\n");
  }

  void write_diagnostic(const Diagnostic& diagnostic) {
    const auto number = [&](std::uint32_t value) {
      if (diagnostic.line == 0) {
        out_.text("null");
      } else {
        out_.number(value);
      }
    };
    out_.text("{\"code\":\"");
    out_.text(to_string(diagnostic.code));
    out_.text("\",\"severity\":\"");
    out_.text(to_string(diagnostic.severity));
    out_.text("\",\"message\":");
    out_.string(diagnostic.message);
    out_.text(",\"file\":");
    out_.string_or_null(diagnostic.file);
    out_.text(",\"line\":");
    number(diagnostic.line);
    out_.text(",\"column\":");
    number(diagnostic.column);
    out_.text(",\"host\":");
    out_.string_or_null(diagnostic.host);
    out_.text(",\"object\":");
    out_.string_or_null(diagnostic.object);
    out_.text(",\"name\":");
    out_.string_or_null(diagnostic.name);
    out_.text(",\"hint\":");
    out_.string_or_null(diagnostic.hint);
    out_.text("}");
  }

  void write_subject(Subject subject, std::uint32_t index) {
    switch (subject) {
      case Subject::kHost:
        out_.text(hosts_[index]);
        out_.text(",\"object\":\"host\",\"name\":");
        out_.string(plan_.hosts[index].name);
        return;
      case Subject::kGpu:
        out_.text(hosts_[plan_.gpus[index].host]);
        out_.text(",\"object\":\"gpu\",\"name\":");
        out_.text(gpus_[index]);
        return;
      case Subject::kVm: {
        constexpr std::string_view kVm = "\"vm\":";
        out_.text(hosts_[plan_.vms[index].host]);
        out_.text(",\"object\":\"vm\",\"name\":");
        out_.text(std::string_view(vm_members(index)).substr(kVm.size()));
        return;
      }
    }
  }

  void write_model(Subject subject, std::uint32_t index) {
    if (subject == Subject::kGpu) {
      out_.text(",\"model\":");
      out_.string_or_null(plan_.gpus[index].model);
    }
  }

  void write_value(Property property, std::uint32_t value) {
    if (value == kNone) {
      out_.text("null");
    } else if (is_number(property)) {
      out_.number(value);
    } else {
      out_.text("\"");
      out_.text(property_word(property, value));
      out_.text("\"");
    }
  }

  void write_optional(const std::optional<std::uint64_t>& value) {
    if (value) {
      out_.number(*value);
    } else {
      out_.text("null");
    }
  }

  void write_place(const Place& place) {
    if (!place.known() || place.file >= files_.size()) {
      out_.text("null");
      return;
    }
    out_.text(files_[place.file]);
    out_.number(place.line);
    out_.text(",\"column\":");
    out_.number(place.column);
    out_.text("}");
  }

  // The adapters as observed.
  void write_adapters(const PlanVm& vm) {
    out_.text("[");
    bool first = true;
    for (const PlanAdapter& adapter : plan_.adapters_of(vm)) {
      out_.text(first ? "{\"id\":" : ",{\"id\":");
      first = false;
      out_.string(adapter.id);
      out_.text(",\"gpu\":");
      write_gpu_name(adapter.gpu);
      out_.text("}");
    }
    out_.text("]");
  }

  void write_held(const PlanVm& vm, bool after) {
    held_gpus(plan_, vm, after, held_);
    out_.text("[");
    bool first = true;
    for (const std::string_view gpu : held_) {
      if (!first) {
        out_.text(",");
      }
      first = false;
      write_gpu_name(gpu);
    }
    out_.text("]");
  }

  const Plan& plan_;
  Chunks& out_;
  std::vector<std::string> hosts_;  // "host":"hv-e1"
  std::vector<std::string> gpus_;   // their names as JSON
  std::vector<std::string> files_;  // a place as far as the line

  // What the line before has had, as JSON: lines of one VM often stand together.
  std::uint32_t vm_ = kNone;
  std::string vm_members_;
  std::uint32_t reason_vm_ = kNone;
  Reason reason_kind_ = Reason::kText;
  std::string reason_;
  std::string words_;

  static constexpr std::size_t kNamedGpus = 64;
  struct NamedGpu {
    std::string_view name;
    std::string json;
  };
  std::array<NamedGpu, kNamedGpus> named_gpus_;
  std::vector<std::string_view> held_;
};

}  // namespace

std::string write_plan(const Plan& plan, OutputFile& file) {
  Sha256 digest;
  Chunks out(&file, &digest);
  const std::uint64_t id_at = PlanJson(plan, out).write(std::string(kPlanDigits, '0'));
  const std::string id = digest.hex();
  file.patch(id_at, id);
  return std::string(kSha256Prefix) + id;
}

std::string plan_id(const Plan& plan) {
  if (plan.id.size() == kSha256Prefix.size() + kPlanDigits) {
    return plan.id;
  }
  Sha256 digest;
  Chunks nowhere(nullptr, &digest);
  PlanJson(plan, nowhere).write(std::string(kPlanDigits, '0'));
  return std::string(kSha256Prefix) + digest.hex();
}

std::string write_plan(const Plan& plan, Sink& sink) {
  std::string id = plan_id(plan);
  Chunks out(&sink, nullptr);
  PlanJson(plan, out).write(std::string_view(id).substr(kSha256Prefix.size()));
  return id;
}

}  // namespace gpup
