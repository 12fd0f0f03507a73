#include "worlds/checker.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

namespace worlds {

namespace {

using Json = nlohmann::json;
using Violations = std::vector<std::string>;

template <class T>
auto& at(T& values, int index) {
  return values[static_cast<std::size_t>(index)];
}
template <class T>
int count(const T& values) {
  return static_cast<int>(values.size());
}

constexpr std::array<const char*, 6> kOps = {"stop-vm",          "unassign-partition", "set-partition-count",
                                             "assign-partition", "set-offline-action", "start-vm"};
enum Op { kStop, kUnassign, kSetCount, kAssign, kSetOffline, kStart };

struct Step {
  Op op = kStop;
  int host = -1;
  int vm = -1;
  int gpu = kUnresolved;
  int adapter = -1;
  unsigned from = 0, to = 0;
  std::string text_from, text_to;
  std::vector<int> after;

  std::string name() const { return std::string(kOps[op]); }
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// ---------------------------------------------------------------------------------------------------------------
// The plan's text, made absolute against the world.

struct PlanText {
  const World& world;
  const Json& plan;
  Violations& violations;
  std::vector<Step> steps;

  void wrong(const std::string& what) { violations.push_back("form: " + what); }

  bool parse() {
    if (!plan.is_object() || plan.value("kind", "") != "Plan" || plan.value("apiVersion", "") != "gpup/v1") {
      wrong("not a plan");
      return false;
    }
    for (const char* member : {"hosts", "facts", "differences", "steps", "diagnostics", "notChecked"}) {
      if (!plan.contains(member) || !plan[member].is_array()) {
        wrong(std::string("no list ") + member);
        return false;
      }
    }
    for (const Json& step : plan["steps"]) {
      try {
        parse(step);
      } catch (const Json::exception& error) {
        wrong("step " + step.dump() + ": " + error.what());
      }
      if (!violations.empty()) {
        return false;
      }
    }
    summary();
    hosts();
    return violations.empty();
  }

  void parse(const Json& json) {
    Step step;
    const int id = json.at("id").get<int>();
    if (id != count(steps) + 1) {
      wrong("ids are not consecutive at step " + std::to_string(id));
    }
    const auto op = std::find(kOps.begin(), kOps.end(), json.at("op").get<std::string>());
    if (op == kOps.end()) {
      wrong("unknown op in step " + std::to_string(id));
      return;
    }
    step.op = static_cast<Op>(op - kOps.begin());
    for (const Json& before : json.at("after")) {
      const int other = before.get<int>();
      if (other < 1 || other >= id) {
        wrong("after names a step that is not earlier, in step " + std::to_string(id));
        return;
      }
      step.after.push_back(other - 1);
    }
    if (!json.at("reason").is_string()) {
      wrong("no reason");
    }
    const std::string host = json.at("host").get<std::string>();
    for (int h = 0; h < count(world.hosts); ++h) {
      if (lower(at(world.hosts, h).name) == lower(host)) {
        step.host = h;
      }
    }
    if (step.host < 0 || !at(world.hosts, step.host).read()) {
      wrong("a step on a host that was not read: " + host);
      return;
    }
    if (step.op == kSetCount) {
      step.gpu = gpu(step.host, json.at("gpu").get<std::string>());
      step.from = json.at("from").get<unsigned>();
      step.to = json.at("to").get<unsigned>();
    } else {
      step.vm = vm(step.host, json.at("vm").get<std::string>(), json.at("vmId").get<std::string>());
    }
    if (step.op == kUnassign && step.vm >= 0) {
      const std::string adapter = lower(json.at("adapter").get<std::string>());
      for (int a = 0; a < count(at(at(world.hosts, step.host).vms, step.vm).adapters); ++a) {
        if (adapter_id(step.host, step.vm, a) == adapter) {
          step.adapter = a;
        }
      }
      if (step.adapter < 0) {
        wrong("an adapter that the VM does not have: " + adapter);
      }
    }
    if (step.op == kAssign && !json.at("gpu").is_null()) {
      step.gpu = gpu(step.host, json.at("gpu").get<std::string>());
    }
    if (step.op == kSetOffline) {
      step.text_from = json.at("from").is_null() ? "" : json.at("from").get<std::string>();
      step.text_to = json.at("to").get<std::string>();
    }
    steps.push_back(std::move(step));
  }

  int gpu(int host, const std::string& name) {
    for (int g = 0; g < count(at(world.hosts, host).gpus); ++g) {
      if (lower(gpu_name(world, host, g)) == lower(name)) {
        return g;
      }
    }
    wrong("a GPU that the host does not have: " + name);
    return kGone;
  }

  int vm(int host, const std::string& name, const std::string& id) {
    for (int v = 0; v < count(at(world.hosts, host).vms); ++v) {
      if (id_of(host, v) == lower(id)) {
        if (at(at(world.hosts, host).vms, v).name != name) {
          wrong("vm and vmId differ: " + name);
        }
        return v;
      }
    }
    wrong("a VM that the host does not have: " + name + " " + id);
    return -1;
  }

  void summary() {
    std::map<std::string, int> seen;
    for (const Step& step : steps) {
      ++seen[step.name()];
    }
    const Json& told = plan.contains("summary") ? plan["summary"] : Json();
    for (const char* op : kOps) {
      const int said = told.is_object() && told.contains(op) ? told[op].get<int>() : 0;
      if (said != seen[op]) {
        wrong(std::string("summary of ") + op);
      }
    }
  }

  void hosts() {
    std::set<std::string> told;
    for (const Json& host : plan["hosts"]) {
      told.insert(lower(host.value("name", "")));
    }
    std::set<std::string> not_checked;
    for (const Json& host : plan["notChecked"]) {
      not_checked.insert(lower(host.value("host", "")));
    }
    std::set<std::string> unread;
    for (const Host& host : world.hosts) {
      if (host.in_file && told.count(lower(host.name)) == 0) {
        wrong("the plan does not say how " + host.name + " is reached");
      }
      if (host.in_file && !host.read()) {
        unread.insert(lower(host.name));
      }
    }
    if (unread != not_checked || not_checked.size() != plan["notChecked"].size()) {
      wrong("notChecked is not the hosts that could not be read");
    }
  }
};

// ---------------------------------------------------------------------------------------------------------------
// What can be seen without performing anything: who stops, in which order, and for what.

struct Shape {
  const World& world;
  const Reading& reading;
  const Json& plan;
  const std::vector<Step>& steps;
  Violations& violations;
  std::vector<std::vector<char>> before{};     ///< [step][other] other ends before step, by `after`
  std::vector<std::vector<char>> justified{};  ///< the same over the edges that a rule asks for

  void wrong(const std::string& what) { violations.push_back(what); }
  const Vm& vm_of(const Step& step) const { return at(at(world.hosts, step.host).vms, step.vm); }
  const Reading::VmReading& reading_of(const Step& step) const { return at(at(reading.vms, step.host), step.vm); }
  std::string told(int i) const {
    const Step& step = at(steps, i);
    return std::to_string(i + 1) + " " + step.name() + (step.vm >= 0 ? " " + vm_of(step).name : "");
  }

  void look() {
    close();
    vms();
    gpus();
    order_of_kinds();
    forgotten();
    down_time();
    down_together();
    words();
  }

  void close() {
    before.assign(steps.size(), std::vector<char>(steps.size(), 0));
    justified = before;
    for (int i = 0; i < count(steps); ++i) {
      for (const int j : at(steps, i).after) {
        add(at(before, i), at(before, j), j);
        if (may_need(at(steps, j), at(steps, i))) {
          add(at(justified, i), at(justified, j), j);
        }
      }
    }
  }
  static void add(std::vector<char>& to, const std::vector<char>& from, int j) {
    at(to, j) = 1;
    for (std::size_t k = 0; k < to.size(); ++k) {
      to[k] = static_cast<char>(to[k] | from[k]);
    }
  }

  // Rules 1, 6 and 7: exactly the stops, starts, removals and settings that section 5 lists.
  void vms() {
    for (int h = 0; h < count(world.hosts); ++h) {
      for (int v = 0; v < count(at(world.hosts, h).vms); ++v) {
        std::array<int, 6> seen{};
        for (const Step& step : steps) {
          if (step.host == h && step.vm == v) {
            ++seen[step.op];
          }
        }
        vm(at(at(world.hosts, h).vms, v), at(at(reading.vms, h), v), seen);
      }
    }
  }

  void vm(const Vm& vm, const Reading::VmReading& wanted, const std::array<int, 6>& seen) {
    const std::string& name = vm.name;
    if (seen[kStop] > 1 || seen[kStart] > 1) {
      wrong("rule 1: " + name + " is stopped or started more than once");
    }
    if (seen[kStop] != 0 && !wanted.stops) {
      wrong("rule 1: " + name + " is stopped and need not be");
    }
    if (seen[kStop] == 0 && wanted.stops) {
      wrong("rule 6: " + name + " is not stopped");
    }
    if (seen[kStart] != 0 && !wanted.starts) {
      wrong("rule 1: " + name + " is started and was not running, nor does the file say so");
    }
    if (seen[kStart] == 0 && wanted.starts) {
      wrong("rule 1: " + name + " is not started again");
    }
    if (!wanted.must_change && seen[kUnassign] + seen[kAssign] != 0) {
      wrong(std::string(wanted.line < 0 ? "rule 7" : "rule 6") + ": the adapters of " + name + " are changed");
    }
    if (wanted.line < 0 && seen[kAssign] != 0) {
      wrong("rule 7: " + name + " is not listed and is assigned a partition");
    }
    if (seen[kSetOffline] != (wanted.offline != vm.offline ? 1 : 0)) {
      wrong("offline: the OfflineAction of " + name + " is set " + std::to_string(seen[kSetOffline]) + " times");
    }
  }

  void gpus() {
    for (int h = 0; h < count(world.hosts); ++h) {
      for (int g = 0; g < count(at(world.hosts, h).gpus); ++g) {
        int seen = 0;
        for (const Step& step : steps) {
          if (step.op == kSetCount && step.host == h && step.gpu == g) {
            ++seen;
            if (step.to != at(at(reading.count_at_end, h), g)) {
              wrong("rule 2: a count that no line wants");
            }
          }
        }
        if (seen != (at(at(reading.changes, h), g) != 0 ? 1 : 0)) {
          wrong("rule 2: the count of GPU " + std::to_string(g) + " is set " + std::to_string(seen) + " times");
        }
      }
    }
    for (const Step& step : steps) {
      if (step.op != kAssign) {
        continue;
      }
      if ((step.gpu == kUnresolved) != (at(reading.single_model, step.host) != 0)) {
        wrong("pin: " + vm_of(step).name + " is " + (step.gpu == kUnresolved ? "not pinned" : "pinned") +
              " on a host of " + (at(reading.single_model, step.host) != 0 ? "one model" : "several models"));
      }
      if (step.gpu != kUnresolved && vm_of(step).clustered) {
        wrong("pin: " + vm_of(step).name + " is clustered and pinned");
      }
    }
  }

  // Rule 5, for one VM: stop, unassign, assign, set OfflineAction, start, whatever order `after` allows.
  void order_of_kinds() {
    for (int a = 0; a < count(steps); ++a) {
      for (int b = 0; b < count(steps); ++b) {
        const Step& first = at(steps, a);
        const Step& second = at(steps, b);
        if (first.host != second.host || first.vm != second.vm || first.vm < 0 || first.op >= second.op) {
          continue;
        }
        if (a > b || at(at(before, b), a) == 0) {
          wrong("rule 5: " + told(b) + " need not wait for " + told(a));
        }
      }
    }
    for (int a = 0; a < count(steps); ++a) {
      const Step& first = at(steps, a);
      if (first.op != kUnassign) {
        continue;
      }
      const int gpu = at(vm_of(first).adapters, first.adapter).gpu;
      for (int b = 0; b < count(steps); ++b) {
        const Step& second = at(steps, b);
        if (second.op == kSetCount && second.host == first.host && (gpu == kUnresolved || gpu == second.gpu) &&
            at(at(before, b), a) == 0) {
          wrong("rule 5: " + told(b) + " need not wait for " + told(a));
        }
      }
    }
    // A new adapter may come to stand on a GPU that gets another count.
    for (int a = 0; a < count(steps); ++a) {
      for (int b = 0; b < count(steps); ++b) {
        const Step& first = at(steps, a);
        const Step& second = at(steps, b);
        if (first.op == kSetCount && second.op == kAssign && first.host == second.host &&
            (second.gpu == kUnresolved || second.gpu == first.gpu) && at(at(before, b), a) == 0) {
          wrong("rule 5: " + told(b) + " need not wait for " + told(a));
        }
      }
    }
  }

  // Rule 2 on a host that forgets: while a VM is off its adapters may be unresolved, so a count is set before its stop,
  // or after they are gone (or the VM is back).
  void forgotten() {
    for (int s = 0; s < count(steps); ++s) {
      const Step& stop = at(steps, s);
      if (stop.op != kStop) {
        continue;
      }
      for (int c = 0; c < count(steps); ++c) {
        if (at(steps, c).op != kSetCount || at(steps, c).host != stop.host || at(at(before, s), c) != 0) {
          continue;
        }
        for (int a = 0; a < count(vm_of(stop).adapters); ++a) {
          if (at(vm_of(stop).adapters, a).gpu >= 0 && !gone_before(stop, a, c)) {
            wrong("rule 2: " + told(c) + " may come while an adapter of " + vm_of(stop).name + " is forgotten");
          }
        }
      }
    }
  }
  bool gone_before(const Step& stop, int adapter, int c) const {
    for (int i = 0; i < count(steps); ++i) {
      const Step& step = at(steps, i);
      if (step.host == stop.host && step.vm == stop.vm && at(at(before, c), i) != 0 &&
          ((step.op == kUnassign && step.adapter == adapter) || step.op == kStart)) {
        return true;
      }
    }
    return false;
  }

  // Rule 6: "between a VM's stop and its start lie only steps that it needs", and it waits for no others.
  void down_time() {
    for (int s = 0; s < count(steps); ++s) {
      for (int t = 0; t < count(steps); ++t) {
        if (at(steps, s).op != kStop || at(steps, t).op != kStart || at(steps, s).host != at(steps, t).host ||
            at(steps, s).vm != at(steps, t).vm) {
          continue;
        }
        for (int b = 0; b < count(steps); ++b) {
          if (at(at(before, b), s) == 0 || (b != t && at(at(before, t), b) == 0)) {
            continue;
          }
          for (const int a : at(steps, b).after) {
            if (at(at(justified, b), a) == 0 || superfluous(b, a)) {
              wrong("rule 6: " + told(s) + " is down longer than needed: " + told(b) + " waits for " + told(a));
            }
          }
        }
      }
    }
  }

  // Whether an assign waits for the removal of another VM's adapter although it has a place without: in every order
  // that is then allowed. Of these, the ones with the fewest places have nothing before it but what it waits for, some
  // other assigns and counts, and what these wait for.
  bool superfluous(int b, int a) const {
    const Step& assign = at(steps, b);
    if (assign.op != kAssign || at(steps, a).op != kUnassign || at(steps, a).vm == assign.vm) {
      return false;
    }
    if (assign.gpu >= 0 && std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
          return step.host == assign.host && step.op == kSetCount;
        })) {
      return false;  // whether there is room beside counts that change may be judged roughly
    }
    std::vector<std::vector<char>> without(steps.size(), std::vector<char>(steps.size(), 0));
    std::vector<int> others;
    for (int i = 0; i < count(steps); ++i) {
      for (const int j : at(steps, i).after) {
        if (i != b || j != a) {
          add(at(without, i), at(without, j), j);
        }
      }
      const Step& step = at(steps, i);
      if (i != b && step.host == assign.host && (step.op == kAssign || step.op == kSetCount) &&
          at(at(without, i), b) == 0 && at(at(without, b), i) == 0) {
        others.push_back(i);
      }
    }
    if (at(at(without, b), a) != 0 || count(others) > 10) {
      return false;  // it comes before in any case
    }
    for (unsigned chosen = 0; chosen < 1U << others.size(); ++chosen) {
      std::vector<char> done = at(without, b);
      for (int i = 0; i < count(others); ++i) {
        if ((chosen >> static_cast<unsigned>(i) & 1U) != 0) {
          add(done, at(without, at(others, i)), at(others, i));
        }
      }
      if (!has_place(assign, done)) {
        return false;
      }
    }
    return true;
  }

  bool has_place(const Step& assign, const std::vector<char>& done) const {
    const int h = assign.host;
    const Host& host = at(world.hosts, h);
    std::vector<int> partitions;
    std::vector<int> refs(host.gpus.size());
    int unresolved = 0;
    const auto hold = [&](int gpu, int more) {
      if (gpu >= 0) {
        at(refs, gpu) += more;
      } else if (gpu == kUnresolved) {
        unresolved += more;
      }
    };
    for (const Gpu& gpu : host.gpus) {
      partitions.push_back(static_cast<int>(gpu.count));
    }
    for (const Vm& vm : host.vms) {
      for (const Adapter& adapter : vm.adapters) {
        hold(adapter.gpu, 1);
      }
    }
    for (int i = 0; i < count(steps); ++i) {
      const Step& step = at(steps, i);
      if (at(done, i) == 0 || step.host != h) {
        continue;
      }
      if (step.op == kUnassign) {
        hold(at(vm_of(step).adapters, step.adapter).gpu, -1);
      } else if (step.op == kAssign) {
        hold(step.gpu, 1);
      } else if (step.op == kSetCount) {
        at(partitions, step.gpu) = static_cast<int>(step.to);
      }
    }
    if (assign.gpu >= 0 && at(refs, assign.gpu) >= at(partitions, assign.gpu)) {
      return false;
    }
    for (int g = 0; g < count(host.gpus); ++g) {
      const std::string& model = at(host.gpus, g).model;
      int room = -unresolved;
      for (int i = 0; i < count(host.gpus); ++i) {
        if (at(host.gpus, i).model == model) {
          room += (at(host.gpus, i).status == "partitioned" ? at(partitions, i) : 0) - at(refs, i);
        }
      }
      if (at(host.gpus, g).status == "partitioned" && is(h, assign.gpu, model) && room <= 0) {
        return false;
      }
    }
    return true;
  }

  // policy.disruption: the most VMs of a limit that some order lets be down at once. VMs that must come one after
  // another are a chain; by Dilworth's theorem the largest set of which no two must has as many VMs as the fewest
  // chains that hold all of them: the VMs less a largest matching of each with one that comes after it.
  void down_together() {
    for (const CountedVms& limit : limits_of(world, reading)) {
      std::vector<std::pair<int, int>> spans;  // stop, where the plan has one, and start
      for (const auto& [h, v] : limit.vms) {
        const int stop = step_of(kStop, h, v);
        const int start = step_of(kStart, h, v);
        if (start >= 0) {
          spans.emplace_back(stop, start);
        }
      }
      std::vector<int> taken(spans.size(), -1);
      int chained = 0;
      for (int i = 0; i < count(spans); ++i) {
        std::vector<char> tried(spans.size(), 0);
        chained += follow(spans, i, taken, tried) ? 1 : 0;
      }
      if (count(spans) - chained > static_cast<int>(std::max(limit.most, limit.owed))) {
        wrong("limit: " + std::to_string(count(spans) - chained) + " listed VMs may be down at once, " +
              std::to_string(limit.most) + " are allowed");
      }
    }
  }
  int step_of(Op op, int h, int v) const {
    for (int i = 0; i < count(steps); ++i) {
      if (at(steps, i).op == op && at(steps, i).host == h && at(steps, i).vm == v) {
        return i;
      }
    }
    return -1;
  }
  bool follow(const std::vector<std::pair<int, int>>& spans, int i, std::vector<int>& taken,
              std::vector<char>& tried) const {
    for (int j = 0; j < count(spans); ++j) {
      if (at(tried, j) != 0 || at(spans, j).first < 0 || at(at(before, at(spans, j).first), at(spans, i).second) == 0) {
        continue;
      }
      at(tried, j) = 1;
      if (at(taken, j) < 0 || follow(spans, at(taken, j), taken, tried)) {
        at(taken, j) = i;
        return true;
      }
    }
    return false;
  }

  int partitions(int h, const std::string& model, bool end) const {
    int sum = 0;
    const Host& host = at(world.hosts, h);
    for (int g = 0; g < count(host.gpus); ++g) {
      if (at(host.gpus, g).model == model && at(host.gpus, g).status == "partitioned") {
        sum += static_cast<int>(end ? at(at(reading.count_at_end, h), g) : at(host.gpus, g).count);
      }
    }
    return sum;
  }

  bool is(int h, int gpu, const std::string& model) const {
    return gpu == kUnresolved || (gpu >= 0 && at(at(world.hosts, h).gpus, gpu).model == model);
  }

  // Whether all that is there and all that comes would not fit at once.
  bool tight(int h, const std::string& model) const {
    int sum = 0;
    for (const Vm& vm : at(world.hosts, h).vms) {
      for (const Adapter& adapter : vm.adapters) {
        sum += is(h, adapter.gpu, model) ? 1 : 0;
      }
    }
    for (const Step& step : steps) {
      sum += step.op == kAssign && step.host == h && is(h, step.gpu, model) ? 1 : 0;
    }
    return sum > std::min(partitions(h, model, false), partitions(h, model, true));
  }
  bool tight(int h, int gpu) const {
    int sum = refs(h, gpu);
    for (const Step& step : steps) {
      sum += step.op == kAssign && step.host == h && step.gpu == gpu ? 1 : 0;
    }
    return sum >
           static_cast<int>(std::min(at(at(world.hosts, h).gpus, gpu).count, at(at(reading.count_at_end, h), gpu)));
  }
  int refs(int h, int gpu) const {
    int sum = 0;
    for (const Vm& vm : at(world.hosts, h).vms) {
      for (const Adapter& adapter : vm.adapters) {
        sum += adapter.gpu == gpu ? 1 : 0;
      }
    }
    return sum;
  }
  bool overfull(int h) const {
    const Host& host = at(world.hosts, h);
    for (int g = 0; g < count(host.gpus); ++g) {
      int sum = 0;
      for (const Vm& vm : host.vms) {
        for (const Adapter& adapter : vm.adapters) {
          sum += is(h, adapter.gpu, at(host.gpus, g).model) ? 1 : 0;
        }
      }
      if (sum > partitions(h, at(host.gpus, g).model, false) || refs(h, g) > static_cast<int>(at(host.gpus, g).count)) {
        return true;
      }
    }
    return false;
  }

  // The adapter with which a VM starts: its GPU where it has one already.
  int gpu_at_start(int h, int v) const {
    for (const Step& step : steps) {
      if (step.op == kAssign && step.host == h && step.vm == v) {
        return step.gpu;
      }
    }
    for (int a = 0; a < count(at(at(world.hosts, h).vms, v).adapters); ++a) {
      const int gpu = at(at(at(world.hosts, h).vms, v).adapters, a).gpu;
      if (!removed(h, v, a)) {
        return gpu;
      }
    }
    return kUnresolved;
  }
  bool removed(int h, int v, int a) const {
    return std::any_of(steps.begin(), steps.end(), [=](const Step& step) {
      return step.op == kUnassign && step.host == h && step.vm == v && step.adapter == a;
    });
  }
  bool stopped(int h, int v) const {
    return std::any_of(steps.begin(), steps.end(),
                       [=](const Step& step) { return step.op == kStop && step.host == h && step.vm == v; });
  }
  bool keeps_one(int h, int v) const {
    for (int a = 0; a < count(at(at(world.hosts, h).vms, v).adapters); ++a) {
      if (!removed(h, v, a)) {
        return true;
      }
    }
    return false;
  }

  // How many partitions a start takes of GPUs that the host chooses: for adapters that are unresolved then, on a host
  // that forgets also those that the VM keeps while it is stopped.
  int chosen_at_start(int h, int v) const {
    int sum = 0;
    for (const Step& step : steps) {
      sum += step.op == kAssign && step.host == h && step.vm == v && step.gpu == kUnresolved ? 1 : 0;
    }
    const Vm& vm = at(at(world.hosts, h).vms, v);
    for (int a = 0; a < count(vm.adapters); ++a) {
      const int gpu = at(vm.adapters, a).gpu;
      sum += !removed(h, v, a) && (gpu == kUnresolved || (gpu >= 0 && stopped(h, v))) ? 1 : 0;
    }
    return sum;
  }
  // Whether others could take the place on this GPU of which somebody is sure.
  bool could_be_taken(int h, int gpu) const {
    int sum = refs(h, gpu);
    for (const Step& step : steps) {
      if (step.host == h && step.op == kAssign && step.gpu == gpu) {
        ++sum;
      } else if (step.host == h && step.op == kStart) {
        sum += chosen_at_start(h, step.vm);
      } else if (step.host == h && step.op == kStop) {
        sum += unresolved_now(h, step.vm);
      }
    }
    return sum >
           static_cast<int>(std::min(at(at(world.hosts, h).gpus, gpu).count, at(at(reading.count_at_end, h), gpu)));
  }
  int unresolved_now(int h, int v) const {
    const auto& adapters = at(at(world.hosts, h).vms, v).adapters;
    return static_cast<int>(
        std::count_if(adapters.begin(), adapters.end(), [](const Adapter& a) { return a.gpu == kUnresolved; }));
  }

  // Whether a rule can ask that `second` waits for `first`.
  bool may_need(const Step& first, const Step& second) const {
    const int h = second.host;
    if (first.host != h) {
      return false;
    }
    if (first.vm >= 0 && first.vm == second.vm) {
      return true;
    }
    switch (second.op) {
      case kStop:  // a count may be set before a VM goes off whose adapter its host may forget meanwhile
        return (first.op == kSetCount && !vm_of(second).adapters.empty()) || hides_place(first, second) ||
               (first.op == kUnassign && vm_of(second).adapters.empty() && gives_place(first, second));
      case kUnassign:
      case kSetOffline:
        return false;
      case kSetCount:
        if (first.op == kUnassign) {
          const int gpu = at(vm_of(first).adapters, first.adapter).gpu;
          return gpu == second.gpu || gpu == kUnresolved || stopped(h, first.vm) || overfull(h);
        }
        return (first.op == kSetCount && overfull(h)) || (first.op == kStart && keeps_one(h, first.vm));
      case kAssign: {
        std::set<std::string> models;
        for (int g = 0; g < count(at(world.hosts, h).gpus); ++g) {
          if (second.gpu == g || second.gpu == kUnresolved) {
            models.insert(at(at(world.hosts, h).gpus, g).model);
          }
        }
        const bool scarce = std::any_of(models.begin(), models.end(), [&](const auto& m) { return tight(h, m); }) ||
                            (second.gpu >= 0 && tight(h, second.gpu));
        if (first.op == kSetCount) {
          return second.gpu == kUnresolved || first.gpu == second.gpu ||
                 (scarce && models.count(at(at(world.hosts, h).gpus, first.gpu).model) != 0);
        }
        if (first.op == kUnassign) {
          const int gpu = at(vm_of(first).adapters, first.adapter).gpu;
          return scarce &&
                 (gpu == kUnresolved || (gpu >= 0 && models.count(at(at(world.hosts, h).gpus, gpu).model) != 0));
        }
        return false;
      }
      case kStart:
        if (first.op == kStart || first.op == kAssign) {
          const int gpu = first.op == kAssign ? first.gpu : gpu_at_start(h, first.vm);
          return gpu >= 0 && chosen_at_start(h, second.vm) != 0 && could_be_taken(h, gpu);
        }
        if (hides_place(first, second)) {
          return true;
        }
        return overfull(h) && first.op != kAssign && first.op != kSetOffline;
    }
    return false;
  }

  // A running VM with an unresolved adapter holds a partition of some GPU until it is stopped.
  bool hides_place(const Step& stop, const Step& second) const {
    const int gpu = gpu_at_start(second.host, second.vm);
    return stop.op == kStop && unresolved_now(stop.host, stop.vm) != 0 && gpu >= 0 && could_be_taken(stop.host, gpu);
  }

  // A VM that loses nothing may go down only once there is a place for what it gets.
  bool gives_place(const Step& removal, const Step& stop) const {
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
      return step.op == kAssign && step.host == stop.host && step.vm == stop.vm && may_need(removal, step);
    });
  }

  // "VMs outside the file ...; a plan that would stop one says so in words", and each change is a difference.
  void words() {
    for (const Step& step : steps) {
      if (step.op != kStop || reading_of(step).line >= 0) {
        continue;
      }
      const std::string& name = vm_of(step).name;
      const bool said = std::any_of(plan["diagnostics"].begin(), plan["diagnostics"].end(), [&](const Json& said_one) {
        return said_one.value("message", "").find(name) != std::string::npos ||
               (said_one.contains("name") && said_one["name"] == name);
      });
      if (!said) {
        wrong("rule 7: " + name + " is not listed, is stopped, and no words say so");
      }
    }
    for (const Step& step : steps) {
      if (step.op != kSetCount) {
        continue;
      }
      const std::string name = lower(gpu_name(world, step.host, step.gpu));
      const bool said = std::any_of(plan["differences"].begin(), plan["differences"].end(), [&](const Json& d) {
        return d.value("property", "") == "partitionCount" && lower(d.value("name", "")) == name &&
               d.value("before", 0U) == at(at(world.hosts, step.host).gpus, step.gpu).count &&
               d.value("after", 0U) == step.to;
      });
      if (!said) {
        wrong("form: a count is set and no difference says so");
      }
    }
    if (steps.empty() != plan["differences"].empty()) {
      wrong("form: differences without steps, or steps without differences");
    }
    for (const Json& fact : plan["facts"]) {
      this->fact(fact);
    }
  }

  void fact(const Json& fact) {
    if (fact.value("property", "") != "partitionCount") {
      return;
    }
    for (int h = 0; h < count(world.hosts); ++h) {
      for (int g = 0; g < count(at(world.hosts, h).gpus); ++g) {
        if (lower(gpu_name(world, h, g)) == lower(fact.value("name", "")) &&
            lower(at(world.hosts, h).name) == lower(fact.value("host", "")) &&
            fact.value("value", 0U) != at(at(world.hosts, h).gpus, g).count) {
          wrong("form: a fact that was not seen");
        }
      }
    }
  }
};

// ---------------------------------------------------------------------------------------------------------------
// Hosts of our own.

enum class Choice { kFirst, kLast, kSteal, kFull, kRandom };

/// How hosts behave where nobody knows, or where they are free.
struct Manner {
  bool forgets = false;
  int pinned = 0;  ///< which of the adapters that are there were pinned: 0 all, 1 none, 2 some
  Choice choice = Choice::kFirst;
  bool shuffled = false;
  bool latest = false;  ///< of the steps that may come next, the last
};

struct Run {
  const World& world;
  const Reading& reading;
  const std::vector<Step>& steps;
  Violations& violations;
  Manner manner{};
  std::mt19937 random{};

  struct SimAdapter {
    int origin = -1;  ///< index in the world, -1 = new
    int gpu = kUnresolved;
    int counts_as = kUnresolved;  ///< the GPU whose model it counts against, or unresolved
    bool pinned = false;
    int hidden = kUnresolved;  ///< the GPU of which it holds a partition although it names none
  };
  struct SimVm {
    bool off = false;
    bool holds = false;  ///< partitions of its resolved adapters are in use
    std::vector<SimAdapter> adapters;
    std::string offline;
  };
  struct SimHost {
    std::vector<unsigned> counts;
    std::vector<SimVm> vms;
  };
  std::vector<SimHost> hosts{};
  std::vector<CountedVms> limits = limits_of(world, reading);
  bool failed = false;

  void wrong(int i, const std::string& what) {
    failed = true;
    const Step& step = at(steps, i);
    violations.push_back(what + " (step " + std::to_string(i + 1) + " " + step.name() +
                         (step.vm >= 0 ? " " + at(at(world.hosts, step.host).vms, step.vm).name : "") + ", " +
                         (manner.forgets ? "forgetting" : "keeping") + " host, " +
                         (manner.shuffled ? "another order" : "array order") + ")");
  }

  void begin() {
    hosts.clear();
    for (int h = 0; h < count(world.hosts); ++h) {
      SimHost& host = hosts.emplace_back();
      for (const Gpu& gpu : at(world.hosts, h).gpus) {
        host.counts.push_back(gpu.count);
      }
      for (int v = 0; v < count(at(world.hosts, h).vms); ++v) {
        const Vm& vm = at(at(world.hosts, h).vms, v);
        SimVm& sim = host.vms.emplace_back();
        sim.off = vm.state == "Off";
        sim.holds = vm.state == "Running" || vm.state == "Paused" || vm.state == "RunningCritical";
        sim.offline = vm.offline;
        for (int a = 0; a < count(vm.adapters); ++a) {
          const int gpu = at(vm.adapters, a).gpu;
          // Where two unlisted VMs are down with what they keep and only one forgets, it may take the other's place,
          // whatever the plan: of these all do or none.
          const auto& wanted = at(at(reading.vms, h), v);
          const bool some = wanted.line >= 0 || at(wanted.goes, a) != 0;
          const bool pinned =
              gpu == kGone || (gpu >= 0 && (manner.pinned == 0 || (manner.pinned == 2 && some && random() % 2 == 0)));
          sim.adapters.push_back({a, gpu, gpu, pinned});
        }
      }
      hide(h);
    }
  }

  // A running VM holds a partition for an adapter that names no GPU, too. One that runs on may hold it for good where
  // others cannot be without it, which no plan can know, nor mend.
  void hide(int h) {
    for (int v = 0; v < count(at(hosts, h).vms); ++v) {
      SimVm& vm = at(at(hosts, h).vms, v);
      for (SimAdapter& adapter : vm.adapters) {
        if (vm.holds && adapter.gpu == kUnresolved && at(at(reading.vms, h), v).stops) {
          adapter.hidden = choose(h, at(hosts, h));
        }
      }
    }
  }

  std::vector<int> order() {
    std::vector<int> result;
    if (!manner.shuffled) {
      for (int i = 0; i < count(steps); ++i) {
        result.push_back(i);
      }
      return result;
    }
    std::vector<int> waiting(steps.size());
    std::vector<std::vector<int>> next(steps.size());
    std::vector<int> ready;
    for (int i = 0; i < count(steps); ++i) {
      at(waiting, i) = count(at(steps, i).after);
      for (const int j : at(steps, i).after) {
        at(next, j).push_back(i);
      }
      if (at(waiting, i) == 0) {
        ready.push_back(i);
      }
    }
    while (!ready.empty()) {
      auto pick = manner.latest ? std::max_element(ready.begin(), ready.end())
                                : ready.begin() + static_cast<std::ptrdiff_t>(random() % ready.size());
      const int i = *pick;
      ready.erase(pick);
      result.push_back(i);
      for (const int k : at(next, i)) {
        if (--at(waiting, k) == 0) {
          ready.push_back(k);
        }
      }
    }
    return result;
  }

  bool perform() {
    begin();
    for (const int i : order()) {
      perform(i);
      if (failed) {
        return false;
      }
    }
    end();
    return !failed;
  }

  void perform(int i) {
    const Step& step = at(steps, i);
    SimHost& host = at(hosts, step.host);
    switch (step.op) {
      case kStop:
        return stop(i, at(host.vms, step.vm));
      case kUnassign:
        return unassign(i, at(host.vms, step.vm));
      case kSetCount:
        return set_count(i, host);
      case kAssign:
        return assign(i, host);
      case kSetOffline:
        return set_offline(i, at(host.vms, step.vm));
      case kStart:
        return start(i, host);
    }
  }

  void stop(int i, SimVm& vm) {
    if (!vm.holds || vm.off) {
      return wrong(i, "rule 1: stopped and was not running");
    }
    vm.off = true;
    vm.holds = false;
    for (const CountedVms& limit : limits) {
      const auto down = std::count_if(limit.vms.begin(), limit.vms.end(),
                                      [&](const auto& of) { return at(at(hosts, of.first).vms, of.second).off; });
      const std::pair<int, int> stopped(at(steps, i).host, at(steps, i).vm);  // one that it does not count is no matter
      if (down > static_cast<std::ptrdiff_t>(limit.most) &&
          std::find(limit.vms.begin(), limit.vms.end(), stopped) != limit.vms.end()) {
        wrong(i, "limit: " + std::to_string(down) + " listed VMs are down, " + std::to_string(limit.most) +
                     " are allowed");
      }
    }
    for (SimAdapter& adapter : vm.adapters) {
      adapter.hidden = kUnresolved;
      if (manner.forgets && !adapter.pinned) {
        adapter.gpu = kUnresolved;
      }
    }
  }

  void unassign(int i, SimVm& vm) {
    if (!vm.off) {
      return wrong(i, "rule 1: an adapter is removed from a VM that is not off");
    }
    const auto found = std::find_if(vm.adapters.begin(), vm.adapters.end(),
                                    [&](const SimAdapter& a) { return a.origin == at(steps, i).adapter; });
    if (found == vm.adapters.end()) {
      return wrong(i, "rule 4: an adapter is removed twice");
    }
    vm.adapters.erase(found);
  }

  template <class F>
  void each_adapter(const SimHost& host, F&& f) const {
    for (const SimVm& vm : host.vms) {
      for (const SimAdapter& adapter : vm.adapters) {
        f(vm, adapter);
      }
    }
  }
  int refs(const SimHost& host, int gpu) const {
    int sum = 0;
    each_adapter(host, [&](const SimVm&, const SimAdapter& a) { sum += a.gpu == gpu ? 1 : 0; });
    return sum;
  }
  int in_use(const SimHost& host, int gpu) const {
    int sum = 0;
    each_adapter(host, [&](const SimVm& vm, const SimAdapter& a) {
      sum += vm.holds && (a.gpu == gpu || a.hidden == gpu) ? 1 : 0;
    });
    return sum;
  }
  /// How many adapters of the model are more than there are partitions.
  int excess(int h, const std::string& model) const {
    const auto& gpus = at(world.hosts, h).gpus;
    const SimHost& host = at(hosts, h);
    int sum = 0;
    each_adapter(host, [&](const SimVm&, const SimAdapter& a) {
      sum += a.counts_as == kUnresolved || (a.counts_as >= 0 && at(gpus, a.counts_as).model == model) ? 1 : 0;
    });
    for (int g = 0; g < count(gpus); ++g) {
      if (at(gpus, g).model == model && at(gpus, g).status == "partitioned") {
        sum -= static_cast<int>(at(host.counts, g));
      }
    }
    return std::max(0, sum);
  }
  std::map<std::string, int> excesses(int h) const {
    std::map<std::string, int> result;
    for (const Gpu& gpu : at(world.hosts, h).gpus) {
      if (gpu.status == "partitioned" && result.count(gpu.model) == 0) {
        result[gpu.model] = excess(h, gpu.model);
      }
    }
    return result;
  }
  void not_fuller(int i, int h, const std::map<std::string, int>& before) {
    for (const auto& [model, more] : excesses(h)) {
      if (more > before.at(model)) {
        wrong(i, "rule 3: more adapters of " + model + " than partitions");
      }
    }
  }

  void set_count(int i, SimHost& host) {
    const Step& step = at(steps, i);
    const Gpu& gpu = at(at(world.hosts, step.host).gpus, step.gpu);
    if (gpu.status != "partitioned") {
      return wrong(i, "rule 2: a GPU that is " + gpu.status);
    }
    if (std::find(gpu.valid.begin(), gpu.valid.end(), step.to) == gpu.valid.end()) {
      return wrong(i, "rule 2: a count that the GPU does not accept");
    }
    if (at(host.counts, step.gpu) != step.from) {
      return wrong(i, "rule 2: from is not the count");
    }
    if (refs(host, step.gpu) != 0) {
      return wrong(i, "rule 2: an adapter refers to the GPU");
    }
    if (refs(host, kUnresolved) != 0) {
      return wrong(i, "rule 2: an unresolved adapter is left on the host");
    }
    const auto before = excesses(step.host);
    at(host.counts, step.gpu) = step.to;
    not_fuller(i, step.host, before);
  }

  void assign(int i, SimHost& host) {
    const Step& step = at(steps, i);
    SimVm& vm = at(host.vms, step.vm);
    if (!vm.off) {
      return wrong(i, "rule 1: an adapter is added to a VM that is not off");
    }
    if (step.gpu >= 0 &&
        at(at(reading.line_of_gpu, step.host), step.gpu) != at(at(reading.vms, step.host), step.vm).gpu_line) {
      return wrong(i, "rule 4: a GPU that is not of the VM's line");
    }
    if (step.gpu >= 0 && refs(host, step.gpu) >= static_cast<int>(at(host.counts, step.gpu))) {
      return wrong(i, "rule 3: the GPU has no partition for the pinned adapter");
    }
    const auto before = excesses(step.host);
    vm.adapters.push_back({-1, step.gpu, step.gpu, step.gpu >= 0});
    not_fuller(i, step.host, before);
  }

  void set_offline(int i, SimVm& vm) {
    const Step& step = at(steps, i);
    if (vm.offline != step.text_from) {
      return wrong(i, "offline: from is not what was seen");
    }
    if (step.text_to != at(at(reading.vms, step.host), step.vm).offline) {
      return wrong(i, "offline: to is not what is wanted");
    }
    vm.offline = step.text_to;
  }

  void start(int i, SimHost& host) {
    const Step& step = at(steps, i);
    SimVm& vm = at(host.vms, step.vm);
    if (!vm.off) {
      return wrong(i, "rule 1: started and is not off");
    }
    vm.holds = true;
    for (const SimAdapter& adapter : vm.adapters) {
      if (adapter.gpu >= 0 && in_use(host, adapter.gpu) > static_cast<int>(at(host.counts, adapter.gpu))) {
        return wrong(i, "rule 3: started without a free partition on its GPU");
      }
    }
    for (SimAdapter& adapter : vm.adapters) {
      if (adapter.gpu != kUnresolved) {
        continue;
      }
      adapter.gpu = choose(step.host, host);
      if (adapter.gpu == kUnresolved) {
        return wrong(i, "rule 3: started without a free partition on its host");
      }
      if (adapter.counts_as == kUnresolved) {
        adapter.counts_as = adapter.gpu;
      }
    }
    vm.off = false;
  }

  int choose(int h, const SimHost& host) {
    std::vector<int> free;
    for (int g = 0; g < count(host.counts); ++g) {
      if (at(at(world.hosts, h).gpus, g).status == "partitioned" &&
          in_use(host, g) < static_cast<int>(at(host.counts, g))) {
        free.push_back(g);
      }
    }
    if (free.empty()) {
      return kUnresolved;
    }
    const auto waiting = [&](int g) {
      int sum = 0;
      each_adapter(host, [&](const SimVm& vm, const SimAdapter& a) { sum += !vm.holds && a.gpu == g ? 1 : 0; });
      return sum;
    };
    const auto left = [&](int g) { return static_cast<int>(at(host.counts, g)) - in_use(host, g); };
    switch (manner.choice) {
      case Choice::kFirst:
        return free.front();
      case Choice::kLast:
        return free.back();
      case Choice::kSteal:  // where others wait, and where least is left
        return *std::max_element(free.begin(), free.end(), [&](int a, int b) {
          return std::pair(waiting(a), -left(a)) < std::pair(waiting(b), -left(b));
        });
      case Choice::kFull:
        return *std::min_element(free.begin(), free.end(), [&](int a, int b) { return left(a) < left(b); });
      case Choice::kRandom:
        return free[random() % free.size()];
    }
    return free.front();
  }

  // Where it must have ended.
  void end() {
    for (int h = 0; h < count(world.hosts); ++h) {
      if (at(hosts, h).counts != at(reading.count_at_end, h)) {
        say("rule 4: counts are not as the file says on " + at(world.hosts, h).name);
      }
      for (int v = 0; v < count(at(world.hosts, h).vms); ++v) {
        end(h, v);
      }
    }
  }

  void say(const std::string& what) {
    failed = true;
    violations.push_back(what);
  }

  void end(int h, int v) {
    const Vm& vm = at(at(world.hosts, h).vms, v);
    const SimVm& sim = at(at(hosts, h).vms, v);
    const auto& wanted = at(at(reading.vms, h), v);
    const bool was_running = vm.state == "Running";
    if (wanted.running_at_end != (sim.holds && (was_running || wanted.starts)) && (was_running || vm.state == "Off")) {
      say("rule 1: " + vm.name + " ends " + (sim.off ? "off" : "running"));
    }
    if (sim.offline != wanted.offline) {
      say("offline: " + vm.name + " ends with OfflineAction " + sim.offline);
    }
    if (wanted.line >= 0) {
      if (sim.adapters.size() != 1) {
        return say("rule 4: " + vm.name + " ends with " + std::to_string(sim.adapters.size()) + " adapters");
      }
      const int gpu = sim.adapters[0].gpu;
      const bool on_line = gpu >= 0 && at(at(reading.line_of_gpu, h), gpu) == wanted.gpu_line;
      const bool off_still = gpu == kUnresolved && (at(reading.single_model, h) != 0 || forgot(wanted, sim));
      if (!on_line && !off_still) {
        say("rule 4: " + vm.name + " ends on a GPU that is not of its line");
      }
      return;
    }
    std::size_t stays = 0;
    for (std::size_t a = 0; a < wanted.goes.size(); ++a) {
      stays += wanted.goes[a] == 0 ? 1U : 0U;
    }
    if (sim.adapters.size() != stays) {
      return say("rule 7: " + vm.name + " is not listed and ends with " + std::to_string(sim.adapters.size()) +
                 " adapters");
    }
    for (const SimAdapter& adapter : sim.adapters) {
      if (adapter.origin < 0 || at(wanted.goes, adapter.origin) != 0) {
        say("rule 7: " + vm.name + " is not listed and ends with another adapter");
      }
    }
  }

  // "On a host of several models the next plan may then pin such a VM."
  static bool forgot(const Reading::VmReading& wanted, const SimVm& sim) {
    return sim.off && wanted.stops && !wanted.must_change;
  }

  /// The world that it ended in.
  World after() const {
    World result = world;
    for (int h = 0; h < count(world.hosts); ++h) {
      Host& host = at(result.hosts, h);
      for (int g = 0; g < count(host.gpus); ++g) {
        at(host.gpus, g).count = at(at(hosts, h).counts, g);
      }
      for (int v = 0; v < count(host.vms); ++v) {
        Vm& vm = at(host.vms, v);
        const SimVm& sim = at(at(hosts, h).vms, v);
        if (vm.state == "Running" || vm.state == "Off") {
          vm.state = sim.off ? "Off" : "Running";
        }
        vm.offline = sim.offline;
        vm.adapters.clear();
        for (const SimAdapter& adapter : sim.adapters) {
          vm.adapters.push_back({adapter.gpu});
        }
      }
    }
    return result;
  }

  /// What an unlisted VM keeps while it is off may come back on a GPU that is managed, whatever the plan.
  bool strayed(int h, int v, const Reading::VmReading& wanted) const {
    const auto& adapters = at(at(hosts, h).vms, v).adapters;
    return wanted.line < 0 && std::any_of(adapters.begin(), adapters.end(), [&](const SimAdapter& a) {
             return a.gpu >= 0 && a.gpu != at(at(at(world.hosts, h).vms, v).adapters, a.origin).gpu;
           });
  }

  /// Whether "planning again gives an empty plan" is promised there.
  bool settled() const {
    for (int h = 0; h < count(world.hosts); ++h) {
      for (int v = 0; v < count(at(world.hosts, h).vms); ++v) {
        const auto& wanted = at(at(reading.vms, h), v);
        if (at(reading.single_model, h) == 0 && (forgot(wanted, at(at(hosts, h).vms, v)) || strayed(h, v, wanted))) {
          return false;
        }
      }
    }
    return true;
  }
};

std::vector<Manner> manners(int random_orders) {
  std::vector<Manner> result = {
      {false, 0, Choice::kFirst, false, false}, {true, 1, Choice::kSteal, false, false},
      {true, 2, Choice::kLast, false, false},   {false, 0, Choice::kSteal, true, true},
      {true, 1, Choice::kFull, true, true},
  };
  constexpr Choice kChoices[] = {Choice::kSteal, Choice::kRandom, Choice::kFull, Choice::kLast, Choice::kFirst};
  for (int i = 0; i < random_orders; ++i) {
    result.push_back({i % 4 != 1, i % 3 == 2 ? 2 : 1 - i % 2, kChoices[i % 5], true, false});
  }
  return result;
}

}  // namespace

Judgement judge(const World& world, const Reading& reading, const Json& plan, const Effort& effort) {
  Judgement result;
  PlanText text{world, plan, result.violations, {}};
  if (!text.parse()) {
    return result;
  }
  Shape{world, reading, plan, text.steps, result.violations}.look();
  std::vector<World> ends;
  // An empty plan leaves the world as it is, in whatever manner.
  const std::vector<Manner> all = text.steps.empty() ? std::vector<Manner>{Manner{}} : manners(effort.random_orders);
  for (std::size_t m = 0; m < all.size(); ++m) {
    Run run{world, reading, text.steps, result.violations, all[m]};
    run.random.seed(effort.seed * 31U + static_cast<std::uint32_t>(m));
    ++result.orders;
    if (!run.perform()) {
      return result;
    }
    if (!text.steps.empty() && m < 3 && run.settled()) {
      ends.push_back(run.after());
    }
  }
  if (result.violations.empty()) {
    result.ends = std::move(ends);
  }
  return result;
}

std::vector<std::string> check(const World& world, const Json& plan) {
  return judge(world, read(world), plan, {12, 1}).violations;
}

}  // namespace worlds
