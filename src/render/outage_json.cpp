#include "render/outage_json.h"

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "render/plan_failure.h"
#include "render/plan_json.h"

namespace gpup {

namespace {

constexpr std::size_t kMostInChain = 100;

class OutageJson {
 public:
  OutageJson(const Plan& plan, const Outage& outage, Sink& sink)
      : plan_(plan), outage_(outage), sink_(sink), failures_(plan) {}

  void write() {
    out_ += R"({"apiVersion": "gpup/v1", "kind": "Outage", "plan": )";
    append_json_string(out_, plan_id(plan_));
    out_ += ", \"name\": ";
    append_json_string(out_, plan_.name);
    times(",\n \"sum\": {", outage_.sum, outage_.sum_p95);
    out_ += "},\n \"longest\": ";
    if (outage_.longest == kNone) {
      out_ += "null";
    } else {
      const Outage::OfVm& longest = outage_.vms[outage_.longest];
      out_ += "{";
      vm_members(longest.vm);
      times(", ", longest.median, longest.p95);
      out_ += "}";
    }
    list(",\n \"vms\": ", outage_.vms, [&](const Outage::OfVm& vm) { of_vm(vm); });
    list(",\n \"mixedCounts\": ", outage_.mixed, [&](const Outage::Mixed& mixed) { of_mixed(mixed); });
    list(",\n \"times\": ", outage_.times.rows(), [&](const StepTimes::Row& row) { of_kind(row); });
    std::uint32_t step = 0;
    list(",\n \"steps\": ", plan_.steps, [&](const Step&) { of_step(step++); });
    out_ += "}\n";
    sink_.write(out_);
  }

 private:
  template <class List, class Append>
  void list(std::string_view name, const List& values, const Append& append) {
    out_ += name;
    out_ += '[';
    std::string_view separator = "\n  ";
    for (const auto& value : values) {
      out_ += separator;
      separator = ",\n  ";
      append(value);
      if (out_.size() >= kChunk) {
        sink_.write(out_);
        out_.clear();
      }
    }
    out_ += ']';
  }

  void text(std::string_view name, std::string_view value) { append_json_member(out_, name, value); }
  void number(std::string_view name, std::uint64_t value) {
    out_ += name;
    append_json_number(out_, value);
  }
  void step_or_null(std::string_view name, std::uint32_t step) {
    if (step == kNone) {
      out_ += name;
      out_ += "null";
    } else {
      number(name, step + 1ULL);
    }
  }
  void times(std::string_view before, std::uint64_t median, std::uint64_t p95) {
    out_ += before;
    number("\"medianMs\": ", median);
    number(", \"p95Ms\": ", p95);
  }
  void vm_members(std::uint32_t vm) {
    text("\"host\": ", plan_.hosts[plan_.vms[vm].host].name);
    text(", \"vm\": ", plan_.vms[vm].name);
    text(", \"vmId\": ", plan_.vms[vm].id);
  }

  void of_vm(const Outage::OfVm& vm) {
    out_ += "{";
    vm_members(vm.vm);
    step_or_null(", \"stop\": ", vm.stop);
    step_or_null(", \"start\": ", vm.start);
    if (!vm.comes_back()) {
      out_ += ", \"medianMs\": null, \"p95Ms\": null, \"origin\": null, \"chain\": [], \"chainIsWhole\": true}";
      return;
    }
    const OutageChain chain = chain_of(outage_, vm, kMostInChain);
    times(", ", vm.median, vm.p95);
    text(", \"origin\": ", origin_words(outage_, chain));
    out_ += ", \"chain\": [";
    for (std::size_t i = 0; i < chain.steps.size(); ++i) {
      number(i == 0 ? "" : ", ", chain.steps[i] + 1ULL);
    }
    out_ += "], \"chainIsWhole\": ";
    append_json_bool(out_, chain.whole);
    out_ += "}";
  }

  void of_mixed(const Outage::Mixed& mixed) {
    text("{\"cluster\": ", mixed.host == kNone ? plan_.cluster.name : std::string_view());
    text(", \"host\": ", mixed.host == kNone ? std::string_view() : plan_.hosts[mixed.host].name);
    text(", \"model\": ", mixed.model);
    step_or_null(", \"from\": ", mixed.from);
    step_or_null(", \"to\": ", mixed.to);
    if (mixed.to == kNone) {
      out_ += ", \"medianMs\": null, \"p95Ms\": null}";
    } else {
      times(", ", mixed.median, mixed.p95);
      out_ += "}";
    }
  }

  void of_kind(const StepTimes::Row& row) {
    text("{\"op\": ", to_string(row.kind.op));
    text(", \"model\": ", row.kind.model);
    out_ += ", \"simulated\": ";
    append_json_bool(out_, row.kind.simulated);
    times(", ", row.time.median, row.time.p95);
    out_ += ", \"default\": ";
    append_json_bool(out_, row.time.is_default());
    text(", \"why\": ", row.time.is_default() ? default_time(row.kind.op, plan_.stop).why : std::string_view());
    number(", \"steps\": ", row.time.samples);
    number(", \"runs\": ", row.time.runs);
    out_ += "}";
  }

  void of_step(std::uint32_t index) {
    const Step& step = plan_.steps[index];
    const Timeline::Span& span = outage_.expected.spans[index];
    number("{\"id\": ", index + 1ULL);
    text(", \"op\": ", to_string(step.op));
    text(", \"host\": ", plan_.hosts[host_of(plan_, step)].name);
    text(", \"vm\": ", step.vm == kNone ? std::string_view() : plan_.vms[step.vm].name);
    text(", \"vmId\": ", step.vm == kNone ? std::string_view() : plan_.vms[step.vm].id);
    text(", \"gpu\": ", step.gpu == kNone ? std::string_view() : plan_.gpus[step.gpu].name);
    number(", \"beginsMs\": ", span.from);
    number(", \"endsMs\": ", span.to);
    out_ += ", \"default\": ";
    append_json_bool(out_, outage_.times.of(index).is_default());
    const Outage::Down& down = outage_.down[index];
    number(", \"down\": {\"count\": ", down.count);
    out_ += ", \"first\": [";
    for (std::size_t i = 0; i < down.count && i < Outage::Down::kNamed; ++i) {
      out_ += i == 0 ? "{" : ", {";
      vm_members(down.first.at(i));
      out_ += "}";
    }
    const Failure failure = failures_.of(index);
    text("]}, \"failure\": {\"left\": ", failure.left);
    text(", \"gpup\": ", failure.gpup);
    text(", \"host\": ", failure.host);
    text(", \"command\": ", failure.command);
    out_ += "}}";
  }

  const Plan& plan_;
  const Outage& outage_;
  Sink& sink_;
  Failures failures_;
  std::string out_;
};

}  // namespace

void render_outage_json(const Plan& plan, const Outage& outage, Sink& out) { OutageJson(plan, outage, out).write(); }

}  // namespace gpup
