#include "render/plan_reader.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

// A saved plan is read back only in the form that `write_plan` gives it: anything else was not written by it, or was
// edited since. So this is no JSON parser but the writer turned around, line by line: it knows what comes next, needs
// no tree, and one member too many, too few or in another place is wrong like any other byte. What it reads, written
// again, gives the same bytes.

constexpr std::string_view kHead = "{\n\"apiVersion\": \"gpup/v1\",\n\"kind\": \"Plan\",\n\"id\": \"sha256:";
constexpr std::uint32_t kHeadLines = 3;  // before the line of the id

/// Finds rows by their text: an open-addressing table of row numbers.
class Rows {
 public:
  /// The row for which `same` holds, or kNone with the place for it kept for `add`.
  template <class Same>
  std::uint32_t find(std::size_t hash, const Same& same) {
    if ((count_ + 1) * 2 > slots_.size()) {
      grow();
    }
    const auto tag = static_cast<std::uint32_t>(hash >> 32U);
    for (at_ = hash & (slots_.size() - 1); slots_[at_].row != kNone; at_ = (at_ + 1) & (slots_.size() - 1)) {
      if (slots_[at_].tag == tag && same(slots_[at_].row)) {
        return slots_[at_].row;
      }
    }
    slots_[at_].hash = hash;
    slots_[at_].tag = tag;
    return kNone;
  }
  /// Adds a row where the `find` before this found none.
  void add(std::uint32_t row) {
    slots_[at_].row = row;
    ++count_;
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    std::uint32_t tag = 0;
    std::uint32_t row = kNone;
  };

  void grow() {
    std::vector<Slot> old(std::max<std::size_t>(slots_.size() * 2, 64));
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.row != kNone) {
        std::size_t at = slot.hash & (slots_.size() - 1);
        while (slots_[at].row != kNone) {
          at = (at + 1) & (slots_.size() - 1);
        }
        slots_[at] = slot;
      }
    }
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  std::size_t at_ = 0;
};

std::size_t hash_of(std::uint32_t host, std::string_view text) {
  return (std::hash<std::string_view>{}(text) ^ host) * 0x9e3779b97f4a7c15U;
}

// Each method reads one thing and says whether it was there; the first that is not ends the reading.
class PlanMembers {
 public:
  PlanMembers(std::string_view text, std::size_t at, Plan& plan, TextPool& pool)
      : text_(text), at_(at), plan_(plan), pool_(pool) {}

  bool read() {
    return name() && files() && hosts() && cluster() && policy() && facts() && differences() && steps() &&
           after_owed() && owed_starts() && summary() && diagnostics() && not_checked() && literal("\n}\n") &&
           (at_ == text_.size() || no("the end")) && agree();
  }

  std::size_t at() const { return at_; }
  const std::string& wrong() const { return wrong_; }

 private:
  // ---- pieces

  bool no(std::string_view expected) {
    if (wrong_.empty()) {
      wrong_ = "expected ";
      wrong_ += expected;
    }
    return false;
  }

  bool is(std::string_view bytes) {
    if (text_.compare(at_, bytes.size(), bytes) != 0) {
      return false;
    }
    at_ += bytes.size();
    return true;
  }

  bool literal(std::string_view bytes) {
    if (is(bytes)) {
      return true;
    }
    const std::size_t first = bytes.find_first_not_of('\n');
    const std::size_t last = bytes.find_last_not_of('\n');
    return no(first == std::string_view::npos ? "a new line" : std::string(bytes.substr(first, last - first + 1)));
  }

  // The elements of a list, each on a line of its own: `element` reads one.
  template <class Element>
  bool lines(const Element& element) {
    if (!literal("[")) {
      return false;
    }
    if (is("]")) {
      return true;
    }
    do {
      if (!literal("\n") || !element()) {
        return false;
      }
    } while (is(","));
    return literal("\n]");
  }

  bool number(std::uint64_t least, std::uint64_t most, std::uint64_t& value) {
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{} || (*begin == '0' && end != begin + 1) || value < least || value > most) {
      return no("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    at_ += static_cast<std::size_t>(end - begin);
    return true;
  }

  bool number(std::uint32_t least, std::uint32_t most, std::uint32_t& value) {
    std::uint64_t wide = 0;
    if (!number(std::uint64_t{least}, std::uint64_t{most}, wide)) {
      return false;
    }
    value = static_cast<std::uint32_t>(wide);
    return true;
  }

  bool optional_number(std::optional<std::uint64_t>& value) {
    if (is("null")) {
      value.reset();
      return true;
    }
    std::uint64_t there = 0;
    if (!number(0, std::numeric_limits<std::uint64_t>::max(), there)) {
      return false;
    }
    value = there;
    return true;
  }

  // A string. `value` views the text itself where nothing in it is escaped, `spelled_` otherwise.
  bool string(std::string_view& value) {
    if (!is("\"")) {
      return no("a string");
    }
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    const char* p = begin;
    // Eight bytes at a time while they are plain, then one at a time.
    std::uint64_t bytes = 0;
    while (end - p >= static_cast<std::ptrdiff_t>(sizeof bytes)) {
      std::memcpy(&bytes, p, sizeof bytes);
      if (!json_plain(bytes)) {
        break;
      }
      p += sizeof bytes;
    }
    while (p != end && *p != '"' && *p != '\\' && static_cast<unsigned char>(*p) - 0x20U < 0x5fU) {
      ++p;
    }
    if (p != end && *p == '"') {
      value = std::string_view(begin, static_cast<std::size_t>(p - begin));
      if (value.find("##") == std::string_view::npos) {
        at_ += value.size() + 1;
        return true;
      }
    }
    return spelled_string(value);
  }

  // One that holds more than plain ASCII, or a `##` that the writer may have escaped: it must be spelled as the writer
  // spells it, which also says that it is UTF-8 and has no control characters.
  bool spelled_string(std::string_view& value) {
    const std::size_t begin = at_;
    spelled_.clear();
    std::size_t p = at_;
    while (p < text_.size() && text_[p] != '"') {
      if (text_[p] != '\\') {
        spelled_ += text_[p++];
        continue;
      }
      const std::size_t taken = unescape(p);
      if (taken == 0) {
        return no("a string as gpup writes it");
      }
      p += taken;
    }
    again_.clear();
    append_json_string(again_, spelled_);
    if (p >= text_.size() || text_.substr(begin - 1, p + 2 - begin) != again_) {
      return no("a string as gpup writes it");
    }
    at_ = p + 1;
    value = spelled_;
    return true;
  }

  // The escape at `at`, appended to `spelled_`; returns its length, 0 where there is none.
  std::size_t unescape(std::size_t at) {
    if (at + 1 < text_.size() && (text_[at + 1] == '"' || text_[at + 1] == '\\')) {
      spelled_ += text_[at + 1];
      return 2;
    }
    constexpr std::size_t kLength = 6;  // \u001b
    if (at + kLength > text_.size() || text_[at + 1] != 'u') {
      return 0;
    }
    std::uint32_t unit = 0;
    const char* const digits = text_.data() + at + 2;
    if (std::from_chars(digits, digits + 4, unit, 16).ptr != digits + 4) {
      return 0;
    }
    if (unit < 0x80) {
      spelled_ += static_cast<char>(unit);
    } else if (unit < 0x800) {
      spelled_ += static_cast<char>(0xc0U | unit >> 6U);
      spelled_ += static_cast<char>(0x80U | (unit & 0x3fU));
    } else {
      spelled_ += static_cast<char>(0xe0U | unit >> 12U);
      spelled_ += static_cast<char>(0x80U | (unit >> 6U & 0x3fU));
      spelled_ += static_cast<char>(0x80U | (unit & 0x3fU));
    }
    return kLength;
  }

  bool string(std::string& value) {
    std::string_view view;
    if (!string(view)) {
      return false;
    }
    value = view;
    return true;
  }

  // `null` for none; an empty string is not a way to say it.
  bool string_or_null(std::string_view& value) {
    if (is("null")) {
      value = {};
      return true;
    }
    return string(value) && (!value.empty() || no("a text that is not empty"));
  }

  bool string_or_null(std::string& value) {
    std::string_view view;
    if (!string_or_null(view)) {
      return false;
    }
    value = view;
    return true;
  }

  // A word of ours, up to the quote that ends it.
  bool word(std::string_view& value) {
    const std::size_t end = std::min(text_.find('"', at_), text_.size());
    value = text_.substr(at_, end - at_);
    at_ = end;
    return literal("\"");
  }

  // What outlives the reading: the text itself is kept, only what was spelled otherwise is copied.
  std::string_view kept(std::string_view value) { return value.data() == spelled_.data() ? pool_.keep(value) : value; }

  // ---- tables

  bool host(std::uint32_t& index) { return literal("\"host\":") && host_named(index); }

  bool host_named(std::uint32_t& index) {
    std::string_view name;
    if (!string(name)) {
      return false;
    }
    // Lines of one host stand together.
    if (last_host_ < plan_.hosts.size() && plan_.hosts[last_host_].name == name) {
      index = last_host_;
      return true;
    }
    index = host_rows_.find(hash_of(0, name), [&](std::uint32_t row) { return plan_.hosts[row].name == name; });
    last_host_ = index;
    return index != kNone || no("a host that the plan lists under 'hosts'");
  }

  std::uint32_t gpu(std::uint32_t host, std::string_view name) {
    std::uint32_t row = gpu_rows_.find(
        hash_of(host, name), [&](std::uint32_t i) { return plan_.gpus[i].host == host && plan_.gpus[i].name == name; });
    if (row == kNone) {
      row = static_cast<std::uint32_t>(plan_.gpus.size());
      plan_.gpus.push_back({kept(name), {}, host, {}, {}});
      gpu_rows_.add(row);
    }
    return row;
  }

  bool gpu_name(std::uint32_t host, std::uint32_t& index) {
    std::string_view name;
    if (!string(name)) {
      return false;
    }
    if (name.empty()) {
      return no("the name of a GPU");
    }
    index = gpu(host, name);
    return true;
  }

  // A VM's name and, after `between`, its id.
  bool vm(std::uint32_t host, std::string_view between, std::uint32_t& index) {
    std::string_view name;
    if (!string(name)) {
      return false;
    }
    if (name.data() == spelled_.data()) {
      name_ = name;
      name = name_;
    }
    std::string_view id;
    if (!literal(between) || !string(id)) {
      return false;
    }
    // Lines of one VM often stand together.
    if (last_vm_ < plan_.vms.size() && plan_.vms[last_vm_].host == host && plan_.vms[last_vm_].id == id) {
      index = last_vm_;
    } else {
      index = vm_rows_.find(hash_of(host, id),
                            [&](std::uint32_t i) { return plan_.vms[i].host == host && plan_.vms[i].id == id; });
    }
    if (index == kNone) {
      index = static_cast<std::uint32_t>(plan_.vms.size());
      PlanVm row;
      row.id = kept(id);
      row.name = name.data() == name_.data() ? pool_.keep(name) : name;
      row.host = host;
      plan_.vms.push_back(row);
      adapters_known_.push_back(false);
      state_known_.push_back(false);
      vm_rows_.add(index);
    }
    last_vm_ = index;
    return plan_.vms[index].name == name || no("the name that the VM of this id has elsewhere in the plan");
  }

  // ---- the members, in their order

  bool name() { return literal("\",\n\"name\": ") && string(plan_.name); }

  bool files() {
    return literal(",\n\"desired\": {\"files\": ") && lines([&] {
             PlanFile file;
             if (!literal("{\"path\":") || !string(file.path) || !literal(",\"sha256\":") || !string(file.sha256) ||
                 !literal("}")) {
               return false;
             }
             plan_.files.push_back(std::move(file));
             return true;
           }) &&
           literal("}");
  }

  bool hosts() {
    return literal(",\n\"hosts\": ") && lines([&] {
             HostTarget target;
             if (!literal("{\"name\":") || !string(target.name) || !literal(",\"connect\":") ||
                 !connect(target.connect) || !literal("}")) {
               return false;
             }
             const std::uint32_t twice = host_rows_.find(
                 hash_of(0, target.name), [&](std::uint32_t row) { return plan_.hosts[row].name == target.name; });
             if (twice != kNone) {
               return no("each host once");
             }
             host_rows_.add(static_cast<std::uint32_t>(plan_.hosts.size()));
             plan_.hosts.push_back(std::move(target));
             return true;
           });
  }

  bool connect(Connect& connect) {
    std::string_view transport;
    if (!literal("{\"transport\":\"") || !word(transport)) {
      return false;
    }
    const std::optional<Transport> known = parse_transport(transport);
    if (!known) {
      return no("a known transport");
    }
    connect.transport = *known;
    const auto member = [&](std::string_view name, std::string& value) {
      return !is(name) || (string(value) && (!value.empty() || no("a text that is not empty")));
    };
    if (!member(",\"file\":", connect.file) || !member(",\"powershell\":", connect.powershell) ||
        !member(",\"address\":", connect.address) || !member(",\"hostName\":", connect.host_name)) {
      return false;
    }
    if (is(",\"port\":")) {
      std::uint64_t port = 0;
      if (!number(0, std::numeric_limits<std::uint16_t>::max(), port)) {
        return false;
      }
      connect.port = static_cast<std::uint16_t>(port);
    }
    return member(",\"user\":", connect.user) && member(",\"identityFile\":", connect.identity_file) &&
           member(",\"knownHosts\":", connect.known_hosts) &&
           member(",\"configurationName\":", connect.configuration_name) && literal("}");
  }

  bool cluster() {
    if (!is(",\n\"cluster\": {\"name\":")) {
      return true;
    }
    return string(plan_.cluster.name) && (!plan_.cluster.name.empty() || no("a text that is not empty")) &&
           literal(",\"others\":") && lines([&] {
             PlanCluster::Others others;
             if (!literal("{\"model\":") || !string_or_null(others.model)) {
               return false;
             }
             others.model = kept(others.model);
             plan_.cluster.others.push_back(others);
             return literal(",\"partitionCount\":") &&
                    value(Property::kPartitionCount, true, plan_.cluster.others.back().partition_count) &&
                    literal(",\"gpus\":") && number(1, kNone, plan_.cluster.others.back().gpus) && literal("}");
           }) &&
           literal("}");
  }

  bool policy() {
    std::string_view mode;
    if (!literal(",\n\"policy\": {\"stop\":{\"mode\":\"") || !word(mode)) {
      return false;
    }
    const std::optional<StopMode> known = parse_stop_mode(mode);
    if (!known) {
      return no("a known way to stop");
    }
    std::uint64_t seconds = 0;
    if (!literal(",\"timeout\":\"") || !number(0, std::numeric_limits<std::int32_t>::max(), seconds) ||
        !literal("s\"}")) {
      return false;
    }
    plan_.stop = {*known, std::chrono::seconds(seconds)};
    return (!is(",\"window\":{\"days\":[") || window(plan_.window.emplace())) &&
           (!is(",\"hooks\":{") || hooks(plan_.hooks)) && literal("}");
  }

  bool hooks(HookPolicy& hooks) {
    std::uint64_t seconds = 0;
    if (!hook("\"before\":[", hooks.before) || !hook("\"after\":[", hooks.after) ||
        !hook("\"onFailure\":[", hooks.on_failure) || !literal("\"timeout\":\"") ||
        !number(1, std::numeric_limits<std::int32_t>::max(), seconds)) {
      return false;
    }
    hooks.timeout = std::chrono::seconds(seconds);
    return (hooks.any() || no("a hook")) && literal("s\"}");
  }

  bool hook(std::string_view name, std::vector<std::string>& argv) {
    if (!is(name)) {
      return true;
    }
    do {
      std::string& word = argv.emplace_back();
      if (!string(word)) {
        return false;
      }
      if (word.empty() || word.size() > HookPolicy::kLongestWord || argv.size() > HookPolicy::kMostWords ||
          word.find('\0') != std::string::npos) {
        return no("the words of a hook");
      }
    } while (is(","));
    return literal("],");
  }

  bool window(Window& window) {
    window.days = 0;
    unsigned next = 0;
    do {
      std::string_view text;
      if (!literal("\"") || !word(text)) {
        return false;
      }
      const std::optional<Weekday> day = parse_weekday(text);
      if (!day || static_cast<unsigned>(*day) < next) {
        return no("each day once, in the order of the week");
      }
      next = static_cast<unsigned>(*day) + 1;
      window.days = static_cast<std::uint8_t>(window.days | 1U << static_cast<unsigned>(*day));
    } while (is(","));
    return literal("],\"from\":\"") && minutes(window.from) && literal(",\"to\":\"") && minutes(window.to) &&
           literal(",\"zone\":") && string(window.zone) && (!window.zone.empty() || no("a text that is not empty")) &&
           literal("}");
  }

  bool minutes(std::uint16_t& minutes) {
    std::string_view text;
    if (!word(text)) {
      return false;
    }
    const std::optional<std::uint16_t> read = parse_time_of_day(text);
    minutes = read.value_or(0);
    return read || no("a time of day");
  }

  bool facts() {
    return literal(",\n\"facts\": ") && lines([&] {
             std::uint64_t id = plan_.facts.size() + 1;
             Fact fact;
             return literal("{\"id\":") && number(id, id, id) && literal(",") && subject(fact.subject, fact.index) &&
                    model(fact.subject, fact.index) && property(fact.subject, fact.property) &&
                    literal(",\"value\":") && fact_value(fact) && literal("}");
           });
  }

  bool fact_value(Fact& fact) {
    if (fact.property == Property::kPartitions) {
      if (!adapters(fact.index)) {
        return false;
      }
    } else if (!value(fact.property, true, fact.value)) {
      return false;
    }
    if (fact.property == Property::kState) {
      state_known_[fact.index] = true;
      plan_.vms[fact.index].was_running = fact.value == static_cast<std::uint32_t>(VmState::kRunning);
    }
    plan_.facts.push_back(fact);
    return true;
  }

  bool subject(Subject& subject, std::uint32_t& index) {
    std::uint32_t at = kNone;
    if (!host(at) || !literal(",\"object\":\"")) {
      return false;
    }
    if (is("vm\",\"name\":")) {
      subject = Subject::kVm;
      return vm(at, ",\"vmId\":", index);
    }
    if (is("gpu\",\"name\":")) {
      subject = Subject::kGpu;
      return gpu_name(at, index);
    }
    if (is("host\",\"name\":")) {
      subject = Subject::kHost;
      index = at;
      std::string_view again;
      return string(again) && (again == plan_.hosts[at].name || no("the name of the host"));
    }
    return no("vm, gpu or host");
  }

  bool property(Subject subject, Property& property) {
    std::string_view text;
    if (!literal(",\"property\":\"") || !word(text)) {
      return false;
    }
    const auto one_of = [&](std::initializer_list<Property> fitting) {
      for (const Property each : fitting) {
        if (to_string(each) == text) {
          property = each;
          return true;
        }
      }
      return no("a property that the object has");
    };
    switch (subject) {
      case Subject::kHost:
        return one_of({Property::kAssigned});
      case Subject::kGpu:
        return one_of({Property::kPartitionCount, Property::kStatus, Property::kAssigned});
      case Subject::kVm:
        return one_of({Property::kState, Property::kPartitions, Property::kOfflineAction});
    }
    return false;
  }

  // A number, or a word and its quotes. What a plan found may be null where a host can leave it out.
  bool value(Property property, bool may_be_null, std::uint32_t& value) {
    if (may_be_null && (property == Property::kPartitionCount || property == Property::kOfflineAction) && is("null")) {
      value = kNone;
      return true;
    }
    if (is_number(property)) {
      return number(0, kNone - 1, value);
    }
    std::string_view text;
    if (!literal("\"") || !word(text)) {
      return false;
    }
    value = parse_property_word(property, text);
    return value != kNone || no("a known word");
  }

  bool adapters(std::uint32_t vm) {
    if (adapters_known_[vm]) {
      return no("the partitions of a VM once");
    }
    adapters_known_[vm] = true;
    plan_.vms[vm].first_adapter = static_cast<std::uint32_t>(plan_.adapters.size());
    if (!literal("[")) {
      return false;
    }
    if (is("]")) {
      return true;
    }
    do {
      std::string_view id;
      PlanAdapter adapter;
      if (!literal("{\"id\":") || !string(id)) {
        return false;
      }
      adapter.id = kept(id);
      if (!literal(",\"gpu\":") || !held(plan_.vms[vm].host, adapter.gpu) || !literal("}")) {
        return false;
      }
      plan_.adapters.push_back(adapter);
      ++plan_.vms[vm].adapter_count;
    } while (is(","));
    return literal("]");
  }

  // A GPU's name as an adapter says it, kept once; empty for null.
  bool held(std::uint32_t host, std::string_view& name) {
    if (!string_or_null(name)) {
      return false;
    }
    if (!name.empty()) {
      name = plan_.gpus[gpu(host, name)].name;
    }
    return true;
  }

  bool differences() {
    return literal(",\n\"differences\": ") && lines([&] {
             Difference difference;
             return literal("{") && subject(difference.subject, difference.index) &&
                    model(difference.subject, difference.index) && listed(difference) &&
                    property(difference.subject, difference.property) && literal(",\"before\":") &&
                    before_and_after(difference) && sizes(difference) && source(difference) && literal("}");
           });
  }

  // Every line about a GPU says its model.
  bool model(Subject subject, std::uint32_t gpu) {
    if (subject != Subject::kGpu) {
      return true;
    }
    std::string_view model;
    if (!literal(",\"model\":") || !string_or_null(model)) {
      return false;
    }
    model_known_.resize(plan_.gpus.size());
    if (!model_known_[gpu]) {
      model_known_[gpu] = true;
      plan_.gpus[gpu].model = kept(model);
    }
    return plan_.gpus[gpu].model == model || no("the model that the GPU has elsewhere in the plan");
  }

  // Whether a line of the file lists the VM; its place follows.
  bool listed(const Difference& difference) {
    if (difference.subject != Subject::kVm) {
      return true;
    }
    listed_ = is(",\"listed\":true");
    return listed_ || literal(",\"listed\":false");
  }

  bool before_and_after(Difference& difference) {
    constexpr std::string_view kAfter = ",\"after\":";
    if (difference.property != Property::kPartitions) {
      return value(difference.property, true, difference.before) && literal(kAfter) &&
             value(difference.property, false, difference.after);
    }
    const PlanVm& vm = plan_.vms[difference.index];
    held_gpus(plan_, vm, false, held_);
    const std::size_t first = after_.size();
    if (!held_list(vm.host)) {
      return false;
    }
    if (!std::equal(held_.begin(), held_.end(), after_.begin() + static_cast<std::ptrdiff_t>(first), after_.end())) {
      return no("before what the VM's fact 'partitions' says");
    }
    after_.resize(first);
    return literal(kAfter) && held_list(vm.host);
  }

  // Appends to `after_`.
  bool held_list(std::uint32_t host) {
    if (!literal("[")) {
      return false;
    }
    if (is("]")) {
      return true;
    }
    do {
      std::string_view name;
      if (!held(host, name)) {
        return false;
      }
      after_.push_back(name);
    } while (is(","));
    return literal("]");
  }

  bool sizes(const Difference& difference) {
    return difference.subject != Subject::kGpu ||
           (literal(",\"partitionVramBefore\":") && optional_number(plan_.gpus[difference.index].vram_before) &&
            literal(",\"partitionVramAfter\":") && optional_number(plan_.gpus[difference.index].vram_after));
  }

  bool source(Difference& difference) {
    if (!literal(",\"source\":") || !place(difference.source)) {
      return false;
    }
    if (difference.subject == Subject::kVm) {
      PlanVm& vm = plan_.vms[difference.index];
      if (listed_ && !vm.place.known()) {
        vm.place = difference.source;
      }
      if (listed_ != vm.place.known()) {
        return no("a place for a VM that is listed");
      }
      vm_differs_.resize(plan_.vms.size());
      vm_differs_[difference.index] = true;
    }
    plan_.differences.push_back(difference);
    return true;
  }

  bool place(Place& place) {
    if (is("null")) {
      return true;
    }
    std::string_view path;
    if (!literal("{\"file\":") || !string(path)) {
      return false;
    }
    if (last_file_ >= plan_.files.size() || plan_.files[last_file_].path != path) {
      const auto found =
          std::find_if(plan_.files.begin(), plan_.files.end(), [&](const PlanFile& file) { return file.path == path; });
      if (found == plan_.files.end()) {
        return no("a file that the plan lists under 'desired'");
      }
      last_file_ = static_cast<std::uint32_t>(found - plan_.files.begin());
    }
    place.file = last_file_;
    return literal(",\"line\":") && number(1, kNone, place.line) && literal(",\"column\":") &&
           number(0, kNone, place.column) && literal("}");
  }

  bool steps() {
    return literal(",\n\"steps\": ") && lines([&] {
             std::uint64_t id = plan_.steps.size() + 1;
             std::string_view op;
             if (!literal("{\"id\":") || !number(id, id, id) || !literal(",\"op\":\"") || !word(op)) {
               return false;
             }
             const std::optional<Op> known = parse_op(op);
             if (!known) {
               return no("a known op");
             }
             Step step;
             step.op = *known;
             return literal(",") && target(step) && after(step) && reason(step) && literal("}");
           });
  }

  bool target(Step& step) {
    std::uint32_t at = kNone;
    if (!host(at)) {
      return false;
    }
    if (step.op == Op::kSetPartitionCount) {
      return literal(",\"gpu\":") && gpu_name(at, step.gpu) && change(Property::kPartitionCount, step);
    }
    if (!vm_with_facts(at, step.vm)) {
      return false;
    }
    switch (step.op) {
      case Op::kUnassignPartition:
        return unassigned(step);
      case Op::kAssignPartition:
        return assigned(step);
      case Op::kSetOfflineAction:
        return change(Property::kOfflineAction, step);
      case Op::kStopVm:
      case Op::kStartVm:
      case Op::kSetPartitionCount:
        break;
    }
    return true;
  }

  bool change(Property property, Step& step) {
    return literal(",\"from\":") && value(property, true, step.from) && literal(",\"to\":") &&
           value(property, false, step.to);
  }

  bool unassigned(Step& step) {
    std::string_view id;
    if (!literal(",\"adapter\":") || !string(id)) {
      return false;
    }
    const PlanVm& vm = plan_.vms[step.vm];
    for (std::uint32_t i = vm.first_adapter; i < vm.first_adapter + vm.adapter_count; ++i) {
      if (plan_.adapters[i].id == id && !plan_.adapters[i].removed) {
        plan_.adapters[i].removed = true;
        step.adapter = i;
        return true;
      }
    }
    return no("an adapter that the VM's fact 'partitions' lists");
  }

  bool assigned(Step& step) {
    PlanVm& vm = plan_.vms[step.vm];
    if (vm.new_gpu != kNone) {
      return no("one partition to be assigned to a VM");
    }
    if (!literal(",\"gpu\":")) {
      return false;
    }
    if (!is("null") && !gpu_name(vm.host, step.gpu)) {
      return false;
    }
    vm.new_gpu = step.gpu == kNone ? PlanVm::kHostChooses : step.gpu;
    if (is(",\"minVram\":") && !number(1, std::numeric_limits<std::uint64_t>::max(), vm.min_vram)) {
      return false;
    }
    const bool listed = vm.place.known();
    const bool told = step.vm < vm_differs_.size() && vm_differs_[step.vm];
    vm.place = {};
    return literal(",\"source\":") && place(vm.place) &&
           (!told || listed == vm.place.known() || no("a place for a VM that is listed"));
  }

  bool after(Step& step) {
    if (!literal(",\"after\":[")) {
      return false;
    }
    step.first_after = static_cast<std::uint32_t>(plan_.after.size());
    if (is("]")) {
      return true;
    }
    do {
      std::uint32_t id = 0;
      if (plan_.steps.empty()) {
        return no("nothing for the first step to wait for");
      }
      if (!number(1, static_cast<std::uint32_t>(plan_.steps.size()), id)) {
        return false;
      }
      plan_.after.push_back(id - 1);
      ++step.after_count;
    } while (is(","));
    return literal("]");
  }

  bool reason(Step step) {
    std::string_view reason;
    if (!literal(",\"reason\":") || !string(reason)) {
      return false;
    }
    plan_.reasons.push_back(kept(reason));
    if (step.op == Op::kStartVm && reason == kStartOwedReason) {
      step.reason = Reason::kStartOwed;  // whether the start is owed matters to who performs it
    }
    plan_.steps.push_back(step);
    return true;
  }

  // A VM that something is to be done to.
  bool vm_with_facts(std::uint32_t host, std::uint32_t& index) {
    if (!literal(",\"vm\":") || !vm(host, ",\"vmId\":", index)) {
      return false;
    }
    return state_known_[index] || no("a VM of which the plan has the fact 'state'");
  }

  bool after_owed() {
    return !is(",\n\"afterOwed\": ") || lines([&] {
      std::uint32_t at = kNone;
      std::uint32_t row = kNone;
      if (!literal("{") || !host(at) || !literal(",\"vm\":") || !vm(at, ",\"vmId\":", row)) {
        return false;
      }
      plan_.after_owed.push_back(row);
      return literal("}");
    });
  }

  bool owed_starts() {
    return !is(",\n\"owedStarts\": ") || lines([&] {
      std::uint32_t at = kNone;
      OwedStart owed;
      if (!literal("{") || !host(at) || !vm_with_facts(at, owed.vm) || !literal(",\"recordedOn\":") ||
          !host_named(owed.host)) {
        return false;
      }
      plan_.owed_starts.push_back(owed);
      return literal("}");
    });
  }

  bool summary() {
    const std::array<std::uint64_t, kOps> counts = plan_.summary();
    if (!literal(",\n\"summary\": {")) {
      return false;
    }
    for (std::size_t op = 0; op < kOps; ++op) {
      std::uint64_t count = 0;
      if (!literal(op == 0 ? "\"" : ",\"") || !literal(to_string(static_cast<Op>(op))) || !literal("\":") ||
          !number(counts.at(op), counts.at(op), count)) {
        return false;
      }
    }
    return literal("}");
  }

  bool diagnostics() {
    return literal(",\n\"diagnostics\": ") && lines([&] {
             Diagnostic diagnostic;
             if (!code(diagnostic) || !literal(",\"message\":") || !string(diagnostic.message) ||
                 !literal(",\"file\":") || !string_or_null(diagnostic.file) || !literal(",\"line\":") ||
                 !line_and_column(diagnostic) || !literal(",\"host\":") || !string_or_null(diagnostic.host) ||
                 !literal(",\"object\":") || !string_or_null(diagnostic.object) || !literal(",\"name\":") ||
                 !string_or_null(diagnostic.name) || !literal(",\"hint\":") || !string_or_null(diagnostic.hint)) {
               return false;
             }
             plan_.diagnostics.push_back(std::move(diagnostic));
             return literal("}");
           });
  }

  bool line_and_column(Diagnostic& diagnostic) {
    constexpr std::string_view kColumn = ",\"column\":";
    if (is("null")) {
      return literal(kColumn) && literal("null");
    }
    return number(1, kNone, diagnostic.line) && literal(kColumn) && number(0, kNone, diagnostic.column);
  }

  bool code(Diagnostic& diagnostic) {
    std::string_view code;
    std::string_view severity;
    if (!literal("{\"code\":\"") || !word(code)) {
      return false;
    }
    const std::optional<Code> known = parse_code(code);
    if (!known || to_string(*known) != code) {
      return no("the code of a diagnostic");
    }
    diagnostic.code = *known;
    if (!literal(",\"severity\":\"") || !word(severity)) {
      return false;
    }
    for (const Severity each : {Severity::kError, Severity::kWarning}) {
      if (to_string(each) == severity) {
        diagnostic.severity = each;
        return true;
      }
    }
    return no("error or warning");
  }

  bool not_checked() {
    return literal(",\n\"notChecked\": ") && lines([&] {
             NotChecked host;
             if (!literal("{\"host\":") || !string(host.host) || !literal(",\"error\":") || !string(host.error)) {
               return false;
             }
             plan_.not_checked.push_back(std::move(host));
             return literal("}");
           });
  }

  // What the differences say that VMs will hold is what the steps give them.
  bool agree() {
    auto next = after_.begin();
    for (const Difference& difference : plan_.differences) {
      if (difference.property == Property::kPartitions) {
        held_gpus(plan_, plan_.vms[difference.index], true, held_);
        for (const std::string_view gpu : held_) {
          if (next == after_.end() || *next++ != gpu) {
            return no("differences that say what the steps do");
          }
        }
      }
    }
    return next == after_.end() || no("differences that say what the steps do");
  }

  std::string_view text_;
  std::size_t at_;
  Plan& plan_;
  TextPool& pool_;
  std::string wrong_;

  Rows host_rows_;
  Rows gpu_rows_;
  Rows vm_rows_;
  std::uint32_t last_host_ = kNone;
  std::uint32_t last_vm_ = kNone;
  std::uint32_t last_file_ = kNone;
  std::vector<bool> model_known_;        // by GPU
  std::vector<bool> adapters_known_;     // by VM
  std::vector<bool> state_known_;        // by VM
  std::vector<std::string_view> after_;  // what differences say that VMs hold in the end, one after the other
  std::vector<std::string_view> held_;
  bool listed_ = false;
  std::vector<bool> vm_differs_;  // by VM
  std::string spelled_;
  std::string again_;
  std::string name_;
};

Diagnostic told(const std::string& path, Code code, std::string message, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.file = path;
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

// What to do about a plan that is not as it was written.
std::string make_another(std::string_view text) {
  return text.find('\r') != std::string_view::npos
             ? "its line ends were changed: a plan is to be copied byte by byte"
             : "a plan is performed only as it was written: make it again with gpup plan --out";
}

tl::unexpected<Error> refused(Diagnostic diagnostic) { return fail(Diagnostics{std::move(diagnostic)}); }

/// Sets the diagnostic's place to an offset of the text.
Diagnostic at_offset(Diagnostic diagnostic, std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') + 1;
  diagnostic.line = static_cast<std::uint32_t>(std::count(before.begin(), before.end(), '\n') + 1);
  diagnostic.column = static_cast<std::uint32_t>(
      1 + std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start), before.end(),
                        [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
  return diagnostic;
}

// The string behind the first `"member":` of what a document begins with, as far as that can be told without reading
// it: only to say what it is instead of a plan.
std::string_view stated(std::string_view text, std::string_view member) {
  constexpr std::size_t kWindow = 4096;
  constexpr std::size_t kLongest = 40;
  text = text.substr(0, kWindow);
  const std::size_t name = text.find(member);
  const std::size_t colon =
      text.find_first_not_of(" \t\r\n", name == std::string_view::npos ? name : name + member.size());
  const std::size_t quote = colon == std::string_view::npos || text[colon] != ':'
                                ? std::string_view::npos
                                : text.find_first_not_of(" \t\r\n", colon + 1);
  if (quote == std::string_view::npos || text[quote] != '"') {
    return {};
  }
  const std::size_t end = text.find('"', quote + 1);
  return end == std::string_view::npos || end - quote > kLongest ? std::string_view()
                                                                 : text.substr(quote + 1, end - quote - 1);
}

// Why a text that does not begin as our plans do is none.
Diagnostic not_a_plan(const std::string& path, std::string_view text) {
  const std::string_view kind = stated(text, "\"kind\"");
  const std::string_view version = stated(text, "\"apiVersion\"");
  Diagnostic diagnostic;
  if (!kind.empty() && kind != "Plan") {
    diagnostic = told(path, Code::kPlanVersion, "this is a '" + std::string(kind) + "', not a plan",
                      "gpup plan --out FILE writes one");
  } else if (!version.empty() && version != "gpup/v1") {
    diagnostic =
        told(path, Code::kPlanVersion, "this plan is of version '" + std::string(version) + "', gpup reads 'gpup/v1'",
             "make it again with this gpup, or use the gpup that made it");
  } else if (!kind.empty()) {
    diagnostic = told(path, Code::kPlanDigest, "this plan is not as it was written", make_another(text));
  } else {
    diagnostic = told(path, Code::kPlanSyntax, "this is not a plan that gpup saved", "gpup plan --out FILE writes one");
  }
  diagnostic.line = 1;
  diagnostic.column = 1;
  return diagnostic;
}

Diagnostic not_as_written(const std::string& path, std::string_view text) {
  const bool whole = text.ends_with("\n}\n");
  Diagnostic diagnostic = told(path, Code::kPlanDigest,
                               whole ? "this plan was changed after it was written: its content does not give its id"
                                     : "this plan is cut off, or was changed after it was written",
                               make_another(text));
  diagnostic.line = kHeadLines + 1;
  diagnostic.column = 1;
  return diagnostic;
}

}  // namespace

Result<Plan> read_plan(std::string text, const std::string& path) {
  if (text.size() > kLargestPlan) {
    return refused(told(path, Code::kPlanSyntax, "this plan is larger than 1 GiB", {}));
  }
  if (!text.starts_with(kHead)) {
    return refused(not_a_plan(path, text));
  }
  const std::string_view all = text;
  const std::string_view id = all.substr(kHead.size(), kPlanDigits);
  const std::string_view rest = all.substr(std::min(kHead.size() + kPlanDigits, all.size()));
  Sha256 digest;
  digest.update(kHead);
  digest.update(rest);
  if (digest.hex() != id) {
    return refused(not_as_written(path, all));
  }

  const auto pool = std::make_shared<TextPool>();
  const std::string_view kept = pool->adopt(std::move(text));
  Plan plan;
  plan.id = std::string(kSha256Prefix) + std::string(kept.substr(kHead.size(), kPlanDigits));
  PlanMembers reader(kept, kHead.size() + kPlanDigits, plan, *pool);
  if (!reader.read()) {
    return refused(at_offset(
        told(path, Code::kPlanSyntax, "this is not a plan as gpup writes it: " + reader.wrong(), make_another(kept)),
        kept, reader.at()));
  }
  plan.texts.push_back(pool);
  return plan;
}

}  // namespace gpup
