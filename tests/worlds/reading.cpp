#include "worlds/reading.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <tuple>

namespace worlds {

namespace {

template <class T>
const auto& at(const T& values, int index) {
  return values[static_cast<std::size_t>(index)];
}
template <class T>
auto& at(T& values, int index) {
  return values[static_cast<std::size_t>(index)];
}
template <class T>
int count(const T& values) {
  return static_cast<int>(values.size());
}

bool works(const Vm& vm) { return vm.state == "Running" || vm.state == "Off"; }

// The sentences of section 5, in the order in which they build on each other.
struct Reader {
  const World& world;
  Reading out;

  void forbid(std::string why) { out.forbidden.push_back(std::move(why)); }
  void leave_open(std::string why, bool goal) {
    out.open.push_back(std::move(why));
    out.goal_open = out.goal_open || goal;
  }

  bool all_read() const {
    return std::all_of(world.hosts.begin(), world.hosts.end(), [](const Host& h) { return !h.in_file || h.read(); });
  }
  bool any_read() const {
    return std::any_of(world.hosts.begin(), world.hosts.end(), [](const Host& h) { return h.read(); });
  }

  void size() {
    for (const Host& host : world.hosts) {
      out.line_of_gpu.emplace_back(host.gpus.size(), -1);
      out.changes.emplace_back(host.gpus.size(), 0);
      auto& counts = out.count_at_end.emplace_back();
      std::set<std::string> models;
      for (const Gpu& gpu : host.gpus) {
        counts.push_back(gpu.count);
        if (gpu.status == "partitioned" || gpu.status == "paravirtualization") {
          models.insert(gpu.model);
        }
      }
      out.single_model.push_back(models.size() <= 1);
      auto& vms = out.vms.emplace_back(host.vms.size());
      for (std::size_t v = 0; v < host.vms.size(); ++v) {
        vms[v].offline = host.vms[v].offline;
        vms[v].running_at_end = host.vms[v].state == "Running" || (host.read() && host.vms[v].owed());
        vms[v].goes.assign(host.vms[v].adapters.size(), 0);
      }
    }
    out.fixed_by_others = !all_read();
  }

  // "A `cluster` that differs from the snapshot's, or clustered VMs without `cluster` in the file, is refused."
  void cluster() {
    if (!world.cluster.empty() && world.cluster != world.snapshot_cluster) {
      if (any_read()) {
        forbid("the cluster differs from the snapshot's");
      } else {
        leave_open("a cluster of which nothing was read", false);
      }
    }
    if (world.cluster.empty()) {
      for (const Host& host : world.hosts) {
        if (host.read() && std::any_of(host.vms.begin(), host.vms.end(), [](const Vm& vm) { return vm.clustered; })) {
          forbid("clustered VMs without cluster in the file");
        }
      }
    }
  }

  void gpu_lines() {
    const int lines = count(world.gpu_lines);
    // "the same host, GPU line or VM said twice is an error"; "A model may stand in two lines if no host is in both."
    for (int a = 0; a < lines; ++a) {
      for (int b = a + 1; b < lines; ++b) {
        if (at(world.gpu_lines, a).by != at(world.gpu_lines, b).by ||
            at(world.gpu_lines, a).text != at(world.gpu_lines, b).text) {
          continue;
        }
        for (int h = 0; h < count(world.hosts); ++h) {
          if (at(world.hosts, h).in_file && at(world.gpu_lines, a).on(h) && at(world.gpu_lines, b).on(h)) {
            forbid("one GPU line said twice on a host");
          }
        }
      }
    }
    for (int l = 0; l < lines; ++l) {
      const GpuLine& line = at(world.gpu_lines, l);
      bool finds = false;
      bool read_all = true;
      for (int h = 0; h < count(world.hosts); ++h) {
        const Host& host = at(world.hosts, h);
        if (!host.in_file || !line.on(h)) {
          continue;
        }
        if (!host.read()) {
          read_all = false;
          continue;
        }
        unsigned found = 0;
        for (int g = 0; g < count(host.gpus); ++g) {
          if (line.matches(at(host.gpus, g))) {
            ++found;
            gpu_of_line(h, g, l);
          }
        }
        finds = finds || found > 0;
        if (line.expect && *line.expect != found) {
          forbid("a GPU line finds other than its expect on " + host.name);
        }
      }
      if (!finds && read_all) {
        forbid("a GPU line finds no card");
      }
    }
  }

  void gpu_of_line(int h, int g, int l) {
    const Gpu& gpu = at(at(world.hosts, h).gpus, g);
    if (gpu.status != "partitioned") {
      forbid("a GPU that a line names is " + gpu.status);
      return;
    }
    if (at(at(out.line_of_gpu, h), g) >= 0) {
      forbid("two lines match one GPU");
      return;
    }
    at(at(out.line_of_gpu, h), g) = l;
    const auto& wanted = at(world.gpu_lines, l).count;
    if (!wanted) {
      return;
    }
    const bool valid = std::find(gpu.valid.begin(), gpu.valid.end(), *wanted) != gpu.valid.end();
    if (*wanted != gpu.count) {
      at(at(out.changes, h), g) = 1;
      at(at(out.count_at_end, h), g) = *wanted;
      if (!valid) {
        forbid("a count that the GPU does not accept");
      }
    } else if (!valid) {
      leave_open("a count that the GPU has and does not list", false);
    }
  }

  void vm_lines() {
    std::set<std::tuple<std::string, int>> names;
    std::set<std::string> ids;
    std::set<std::string> matches;
    for (const Line& line : world.lines) {
      if (!line.vm.empty() && line.id.empty() && !names.emplace(line.vm, line.host).second) {
        forbid("one VM said twice");
      }
      if (!line.id.empty() && !ids.insert(line.id).second) {
        forbid("one id said twice");
      }
      if (!line.match.empty() && !matches.insert(line.match).second) {
        leave_open("one match said twice", true);
      }
    }
    for (int l = 0; l < count(world.lines); ++l) {
      if (at(world.lines, l).match.empty()) {
        named(l);
      }
    }
    for (int l = 0; l < count(world.lines); ++l) {
      if (!at(world.lines, l).match.empty()) {
        matched(l);
      }
    }
  }

  void named(int l) {
    const Line& line = at(world.lines, l);
    int found = 0;
    int host_of = -1;
    int vm_of = -1;
    bool unread = false;
    for (int h = 0; h < count(world.hosts); ++h) {
      const Host& host = at(world.hosts, h);
      if (!host.in_file || (line.host >= 0 && line.host != h)) {
        continue;
      }
      if (!host.read()) {
        unread = true;
        continue;
      }
      for (int v = 0; v < count(host.vms); ++v) {
        if ((line.id.empty() || line.id == id_of(h, v)) && (line.vm.empty() || line.vm == at(host.vms, v).name)) {
          ++found;
          host_of = h;
          vm_of = v;
        }
      }
    }
    if (found == 0 && !unread) {
      forbid("a listed VM does not exist");
    } else if (found > 1) {
      forbid("two VMs of one name, listed by name only");
    } else if (found == 1) {
      int& of = at(at(out.vms, host_of), vm_of).line;
      if (of >= 0) {
        forbid("two lines name one VM");
      }
      of = l;
    }
  }

  void matched(int l) {
    const Line& line = at(world.lines, l);
    const std::regex pattern(line.match);
    unsigned found = 0;
    for (int h = 0; h < count(world.hosts); ++h) {
      const Host& host = at(world.hosts, h);
      for (int v = 0; host.read() && v < count(host.vms); ++v) {
        int& of = at(at(out.vms, h), v).line;
        const bool taken = of >= 0 && at(world.lines, of).match.empty();
        if (taken || !std::regex_match(at(host.vms, v).name, pattern)) {
          continue;
        }
        if (of >= 0) {
          forbid("two matches of one VM");
        }
        of = l;
        ++found;
      }
    }
    if (found > line.expect || (found < line.expect && all_read())) {
      forbid("a match finds " + std::to_string(found) + " of " + std::to_string(line.expect));
    }
  }

  bool managed_on(int h) const {
    const auto& lines = at(out.line_of_gpu, h);
    return std::any_of(lines.begin(), lines.end(), [](int l) { return l >= 0; });
  }
  bool changes_on(int h) const {
    const auto& changes = at(out.changes, h);
    return std::any_of(changes.begin(), changes.end(), [](char c) { return c != 0; });
  }

  // "`gpu:` of an assignment names a model; its line is the one that manages that model on the VM's host."
  void line_of_vm(int h, int v) {
    const Host& host = at(world.hosts, h);
    auto& vm = at(at(out.vms, h), v);
    const Line& line = at(world.lines, vm.line);
    std::map<std::string, int> managed;
    for (int g = 0; g < count(host.gpus); ++g) {
      if (at(at(out.line_of_gpu, h), g) >= 0) {
        managed[at(host.gpus, g).model] = at(at(out.line_of_gpu, h), g);
      }
    }
    if (line.gpu.empty()) {
      if (managed.size() == 1) {
        vm.gpu_line = managed.begin()->second;
      } else {
        forbid(managed.empty() ? "no managed GPU on a listed VM's host" : "gpu left out, several managed models");
      }
    } else if (managed.count(line.gpu) != 0) {
      vm.gpu_line = managed[line.gpu];
    } else {
      forbid("no line manages " + line.gpu + " on a listed VM's host");
    }
    if (!line.offline.empty() && !at(host.vms, v).clustered && line.match.empty()) {
      forbid("offlineAction for a VM that is not clustered");
    }
  }

  bool fits(int h, int v, const Adapter& adapter) const {
    const auto& vm = at(at(out.vms, h), v);
    if (adapter.gpu >= 0) {
      return vm.gpu_line >= 0 && at(at(out.line_of_gpu, h), adapter.gpu) == vm.gpu_line;
    }
    return adapter.gpu == kUnresolved && at(out.single_model, h);
  }

  void listed(int h, int v) {
    const Vm& vm = at(at(world.hosts, h).vms, v);
    auto& reading = at(at(out.vms, h), v);
    line_of_vm(h, v);
    const Line& line = at(world.lines, reading.line);
    bool change = vm.adapters.size() != 1;
    int fitting_and_staying = 0;
    for (const Adapter& adapter : vm.adapters) {
      const bool recounted =
          adapter.gpu >= 0 ? at(at(out.changes, h), adapter.gpu) != 0 : adapter.gpu == kUnresolved && changes_on(h);
      change = change || !fits(h, v, adapter) || recounted;
      fitting_and_staying += fits(h, v, adapter) && !recounted ? 1 : 0;
    }
    reading.must_change = change;
    if (change && !at(out.single_model, h) && vm.clustered) {
      if (fitting_and_staying > 0) {
        leave_open("a clustered VM of several adapters, one of which fits, on a host of several models", true);
      } else {
        forbid("a clustered VM would have to be pinned");
      }
    }
    if (vm.clustered) {
      const std::string wanted = line.offline.empty() ? "force-shutdown" : line.offline;
      reading.offline = wanted == "unmanaged" ? vm.offline : wanted;
    }
    const bool wish = !line.power.empty() && line.power != "keep";
    if ((change || wish || reading.offline != vm.offline) && !works(vm)) {
      forbid("something must change about a VM that is " + vm.state);
    }
    const bool running = vm.state == "Running";
    reading.running_at_end = line.power == "running" || ((running || vm.owed()) && line.power != "off");
    reading.stops = running && (change || line.power == "off");
    reading.starts = reading.running_at_end && (reading.stops || (works(vm) && !running));
  }

  void unlisted(int h, int v) {
    const Vm& vm = at(at(world.hosts, h).vms, v);
    auto& reading = at(at(out.vms, h), v);
    reading.starts = vm.owed();
    bool touched = false;
    bool in_the_way = false;
    for (std::size_t a = 0; a < vm.adapters.size(); ++a) {
      const int gpu = vm.adapters[a].gpu;
      const bool concerned = gpu >= 0 ? at(at(out.line_of_gpu, h), gpu) >= 0 : gpu == kUnresolved && managed_on(h);
      in_the_way = in_the_way || (gpu >= 0 ? at(at(out.changes, h), gpu) != 0 : gpu == kUnresolved && changes_on(h));
      reading.goes[a] = concerned ? 1 : 0;
      touched = touched || concerned;
    }
    if (world.unlisted == "keep") {
      std::fill(reading.goes.begin(), reading.goes.end(), 0);
      if (in_the_way) {
        forbid("an unlisted VM that is kept stands in the way");
      }
    } else if (world.unlisted == "refuse") {
      if (touched) {
        forbid("an unlisted VM holds a partition, and is refused");
      }
    } else if (touched) {
      reading.must_change = true;
      reading.stops = vm.state == "Running";
      reading.starts = reading.stops || vm.owed();
      if (!works(vm)) {
        forbid("an unlisted VM to unassign is " + vm.state);
      }
      const bool keeps_one = std::any_of(reading.goes.begin(), reading.goes.end(), [](char c) { return c == 0; });
      if (keeps_one && reading.stops && changes_on(h)) {
        leave_open("an unlisted VM loses some adapters where a count changes", false);
      }
    }
  }

  void vms() {
    for (int h = 0; h < count(world.hosts); ++h) {
      if (!at(world.hosts, h).read()) {
        continue;
      }
      for (int v = 0; v < count(at(world.hosts, h).vms); ++v) {
        if (at(at(out.vms, h), v).line >= 0) {
          listed(h, v);
        } else {
          unlisted(h, v);
        }
      }
    }
  }

  // Not in the contract, which knows no owed starts in a world: where the host chooses GPUs and other VMs run in the
  // place of one that an earlier run stopped, that one gets a new partition.
  void places_taken(int h) {
    const Host& host = at(world.hosts, h);
    if (!host.read() || !at(out.single_model, h)) {
      return;
    }
    const auto waits = [&](int v) {
      const auto& reading = at(at(out.vms, h), v);
      return at(host.vms, v).owed() && reading.gpu_line >= 0 && reading.starts && !reading.must_change;
    };
    std::vector<unsigned> running(host.gpus.size());
    bool one_of_several = false;
    bool any_waits = false;
    for (int v = 0; v < count(host.vms); ++v) {
      const auto& reading = at(at(out.vms, h), v);
      const auto& adapters = at(host.vms, v).adapters;
      any_waits = any_waits || waits(v);
      if (!reading.running_at_end || waits(v)) {
        continue;
      }
      const bool gets_another = reading.line >= 0 && reading.must_change;
      one_of_several = one_of_several || (gets_another && adapters.size() > 1);
      for (std::size_t a = 0; a < adapters.size() && !gets_another; ++a) {
        if (adapters[a].gpu >= 0 && reading.goes[a] == 0) {
          ++at(running, adapters[a].gpu);
        }
      }
    }
    if (one_of_several && any_waits) {
      leave_open("a VM that runs may keep one of its adapters, in the place of one that is owed a start", true);
    }
    for (int v = 0; v < count(host.vms); ++v) {
      if (!waits(v) || at(host.vms, v).adapters.front().gpu < 0) {
        continue;
      }
      const int gpu = at(host.vms, v).adapters.front().gpu;
      if (at(running, gpu) < at(at(out.count_at_end, h), gpu)) {
        ++at(running, gpu);
      } else {
        at(at(out.vms, h), v).must_change = true;
      }
    }
  }

  // "No step leaves a host with more adapters of a model than it has partitions of that model, VMs that are off
  // included. Where an adapter is pinned to a GPU, that GPU has a partition for it." "must fit at the end"
  void capacity(int h) {
    const Host& host = at(world.hosts, h);
    if (!managed_on(h)) {
      return;
    }
    std::vector<int> refs(host.gpus.size());
    std::vector<int> running_refs(host.gpus.size());
    std::vector<char> started(host.gpus.size());
    int unresolved = 0;
    int gone = 0;
    std::map<int, int> fresh;                   // by line
    std::map<std::string, int> fresh_of_model;  // by the line's `gpu`
    for (int v = 0; v < count(host.vms); ++v) {
      const Vm& vm = at(host.vms, v);
      const auto& reading = at(at(out.vms, h), v);
      if (reading.line >= 0 && reading.must_change) {
        ++fresh[reading.gpu_line];
        ++fresh_of_model[at(world.lines, reading.line).gpu];
        continue;
      }
      for (std::size_t a = 0; a < vm.adapters.size(); ++a) {
        if (reading.goes[a] != 0) {
          continue;
        }
        const int gpu = vm.adapters[a].gpu;
        if (gpu >= 0) {
          ++at(refs, gpu);
          at(running_refs, gpu) += reading.running_at_end ? 1 : 0;
          at(started, gpu) = static_cast<char>(at(started, gpu) | (reading.starts ? 1 : 0));
        }
        unresolved += gpu == kUnresolved ? 1 : 0;
        gone += gpu == kGone ? 1 : 0;
      }
    }
    struct Model {
      int partitions = 0, refs = 0, room_of_gpus = 0, line = -1;
    };
    std::map<std::string, Model> models;
    for (int g = 0; g < count(host.gpus); ++g) {
      if (at(host.gpus, g).status != "partitioned") {
        continue;
      }
      Model& model = models[at(host.gpus, g).model];
      const int partitions = static_cast<int>(at(at(out.count_at_end, h), g));
      model.partitions += partitions;
      model.refs += at(refs, g);
      model.room_of_gpus += std::max(0, partitions - at(refs, g));
      model.line = std::max(model.line, at(at(out.line_of_gpu, h), g));
      if (at(refs, g) > partitions && at(at(out.line_of_gpu, h), g) >= 0) {
        if (at(running_refs, g) > partitions && at(started, g) != 0) {
          forbid("a VM to start has its adapter on a GPU that is full");
        } else {
          leave_open("a GPU, not its model, is overfull", false);
        }
      }
    }
    std::map<int, int> room;
    for (const auto& [name, model] : models) {
      const int fresh_here = at(out.single_model, h) && model.line >= 0 ? fresh[model.line] : 0;
      const int wanted = model.refs + unresolved + fresh_here;
      if (wanted > model.partitions) {
        if (model.line >= 0) {
          forbid("more adapters than partitions of " + name + " on " + host.name);
        } else {
          leave_open("overfull of a model that no line names", false);
        }
      } else if (wanted + gone > model.partitions) {
        leave_open("an adapter on a GPU that the host does not list", false);
      }
      const int left = std::max(0, std::min(model.partitions - model.refs - unresolved, model.room_of_gpus));
      room[model.line] += left;
      if (!at(out.single_model, h) && fresh_of_model[name] > left) {
        leave_open("a line of several models, and one of them full", false);
      }
    }
    if (!at(out.single_model, h)) {
      for (const auto& [line, wanted] : fresh) {
        if (line >= 0 && wanted > room[line]) {
          forbid("more VMs than partitions of a line on " + host.name);
        }
      }
    }
  }

  // "A partition's size is read, never computed: from the GPU if it has the count already, else from a GPU of the same
  // model and total VRAM that has it. Without one, `minVram` is refused if `totalVram` / count is too small"
  void min_vram() {
    for (int h = 0; h < count(world.hosts); ++h) {
      const Host& host = at(world.hosts, h);
      for (int v = 0; host.read() && v < count(host.vms); ++v) {
        const auto& vm = at(at(out.vms, h), v);
        if (vm.line < 0 || vm.gpu_line < 0 || !at(world.lines, vm.line).min_vram) {
          continue;
        }
        const std::uint64_t wanted = *at(world.lines, vm.line).min_vram;
        for (int g = 0; g < count(host.gpus); ++g) {
          if (at(at(out.line_of_gpu, h), g) == vm.gpu_line) {
            size_of(at(host.gpus, g).model, at(at(out.count_at_end, h), g), wanted);
          }
        }
      }
    }
  }

  void size_of(const std::string& model, unsigned partitions, std::uint64_t wanted) {
    bool known = false;
    bool ignored = false;
    for (const Host& host : world.hosts) {
      for (const Gpu& gpu : host.gpus) {
        if (host.in_snapshot && host.reachable && gpu.model == model && gpu.count == partitions) {
          const bool counts = host.in_file && gpu.status == "partitioned";
          known = known || counts;
          ignored = ignored || !counts;
        }
      }
    }
    const bool too_small_if_known = partition_vram(model, partitions) < wanted;
    const bool too_small_if_not = total_vram(model) / partitions < wanted;
    if (known ? too_small_if_known : too_small_if_not) {
      forbid("a partition smaller than minVram");
    } else if (!known && ignored && too_small_if_known) {
      leave_open("a size that only a GPU out of reach shows", false);
    }
  }

  // "one model, one total VRAM, one count; `require` refuses also where nothing else is to do"
  void homogeneous() {
    std::set<std::tuple<std::string, std::uint64_t, unsigned>> kinds;
    std::map<int, std::set<std::string>> chosen;
    for (int h = 0; h < count(world.hosts); ++h) {
      const Host& host = at(world.hosts, h);
      for (int g = 0; host.read() && g < count(host.gpus); ++g) {
        const Gpu& gpu = at(host.gpus, g);
        if (gpu.status == "partitioned") {
          kinds.emplace(gpu.model, total_vram(gpu.model), at(at(out.count_at_end, h), g));
          chosen[at(at(out.line_of_gpu, h), g)].insert(gpu.model);
        }
      }
    }
    const bool require = world.homogeneous.empty() ? !world.cluster.empty() : world.homogeneous == "require";
    if (require && kinds.size() > 1) {
      forbid("not homogeneous");
    }
    chosen.erase(-1);
    for (const auto& [line, models] : chosen) {
      if (models.size() > 1) {
        leave_open("one line chooses GPUs that differ", false);
      }
    }
  }
};

}  // namespace

int Reading::stops() const {
  int sum = 0;
  for (const auto& host : vms) {
    sum += static_cast<int>(std::count_if(host.begin(), host.end(), [](const VmReading& vm) { return vm.stops; }));
  }
  return sum;
}

Reading read(const World& world) {
  Reader reader{world, {}};
  reader.size();
  reader.cluster();
  reader.gpu_lines();
  reader.vm_lines();
  reader.vms();
  for (int h = 0; h < count(world.hosts); ++h) {
    if (at(world.hosts, h).read()) {
      reader.places_taken(h);
      reader.capacity(h);
    }
  }
  reader.min_vram();
  reader.homogeneous();
  return std::move(reader.out);
}

std::vector<CountedVms> limits_of(const World& world, const Reading& reading) {
  std::vector<CountedVms> all;
  const auto add = [&](unsigned value, bool percent, auto is_in) {
    CountedVms counted;
    unsigned listed = 0;
    for (int h = 0; h < count(world.hosts); ++h) {
      for (int v = 0; v < count(at(reading.vms, h)); ++v) {
        const Reading::VmReading& vm = at(at(reading.vms, h), v);
        if (vm.line < 0 || !is_in(h, at(at(world.hosts, h).vms, v))) {
          continue;
        }
        ++listed;
        const bool owed = at(at(world.hosts, h).vms, v).owed();
        if (vm.starts && (vm.stops || owed)) {
          counted.vms.emplace_back(h, v);
          counted.owed += owed ? 1U : 0U;
        }
      }
    }
    counted.most = percent ? std::max(1U, listed * value / 100) : value;
    all.push_back(counted);
  };
  for (const DownLimit& limit : world.limits) {
    add(limit.value, limit.percent,
        [&](int, const Vm& vm) { return limit.match.empty() || std::regex_match(vm.name, std::regex(limit.match)); });
  }
  for (int h = 0; world.per_host != 0 && h < count(world.hosts); ++h) {
    add(world.per_host, false, [h](int host, const Vm&) { return host == h; });
  }
  return all;
}

}  // namespace worlds
