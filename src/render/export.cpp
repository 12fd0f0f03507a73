#include "render/export.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/paths.h"
#include "base/text.h"
#include "desired/scalars.h"
#include "desired/scan_text.h"
#include "model/platform_rules.h"

namespace gpup {

namespace {

bool can_stand_in_file(std::string_view name) { return !name.empty() && !control_character_in(name); }

/// Plain where every YAML reader takes it as this string, in double quotes otherwise.
std::string scalar(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool plain =
      !text.empty() && letter(text.front()) && (letter(text.back()) || digit(text.back())) &&
      text.find("  ") == std::string_view::npos &&
      std::all_of(
          text.begin(), text.end(),
          [&](char c) { return letter(c) || digit(c) || c == '-' || c == '_' || c == '.' || c == '/' || c == ' '; }) &&
      std::none_of(kWords.begin(), kWords.end(), [&](std::string_view w) { return same_name(w, text); });
  if (plain) {
    return std::string(text);
  }
  std::string quoted;
  append_json_string(quoted, text);
  // The two characters that YAML does not take as they are.
  for (const auto& [raw, escaped] : {std::pair("\xef\xbf\xbe", "\\ufffe"), std::pair("\xef\xbf\xbf", "\\uffff")}) {
    for (std::size_t at = quoted.find(raw); at != std::string::npos; at = quoted.find(raw, at)) {
      quoted.replace(at, 3, escaped);
    }
  }
  return quoted;
}

/// A line that manages GPUs of some hosts.
struct GpuLine {
  std::string_view model;  ///< or, where that is empty,
  std::string_view device;
  std::optional<std::uint32_t> count;
  std::vector<std::size_t> hosts;  ///< indexes of ObservedState::hosts
  bool names_hosts = false;
};

/// What is known of a host before its VMs are looked at.
struct ExportedHost {
  std::vector<bool> managed;             ///< by GPU
  std::vector<std::string_view> models;  ///< of managed GPUs, each once
  std::uint32_t unresolved = 0;          ///< adapters
  std::vector<std::uint32_t> load;       ///< by GPU: adapters that name it
  bool one_model = true;                 ///< of GPUs that are partitioned or paravirtual
};

/// Notes for the reader, each kind with at most a few names.
class Notes {
 public:
  void add(const std::string& kind, std::string_view host, std::string_view name) {
    Note& note = notes_[kind];
    if (++note.count <= kMost) {
      note.names +=
          fmt::format("{}{} on {}", note.names.empty() ? "" : ", ", escape_terminal(name), escape_terminal(host));
    }
  }
  std::string text() const {
    std::string out;
    for (const auto& [kind, note] : notes_) {
      out += fmt::format("# {}: {}", kind, note.names);
      out += note.count > kMost ? fmt::format(", and {} more\n", note.count - kMost) : "\n";
    }
    return out;
  }

 private:
  static constexpr std::size_t kMost = 10;
  struct Note {
    std::size_t count = 0;
    std::string names;
  };
  std::map<std::string, Note> notes_;
};

class Exporter {
 public:
  Exporter(const ObservedState& observed, const ExportOptions& options) : observed_(observed), options_(options) {}

  Result<std::string> run() {
    if (observed_.hosts.empty()) {
      return refuse("there is no host to export", "host", {});
    }
    for (const Host& host : observed_.hosts) {
      if (!can_stand_in_file(host.name)) {
        return refuse(fmt::format("the host name '{}' cannot stand in a file", host.name), "host", host.name);
      }
    }
    if (!observed_.cluster.empty() && !can_stand_in_file(observed_.cluster)) {
      return refuse(fmt::format("the cluster name '{}' cannot stand in a file", observed_.cluster), "cluster",
                    observed_.cluster);
    }
    look_at_hosts();
    make_lines();
    count_names();
    const std::string assignments = write_assignments();
    std::string out = "# The observed state";
    if (!observed_.taken_at.empty()) {
      out += fmt::format(" of {}", escape_terminal(observed_.taken_at));
    }
    out += ", exported by gpup: planning it shows nothing to do.\n" + notes_.text();
    out += "apiVersion: gpup/v1\nkind: GpuPartitioning\nmetadata:\n";
    out += fmt::format("  name: {}\n", scalar(can_stand_in_file(options_.name) ? options_.name : "exported"));
    if (!observed_.cluster.empty()) {
      out += fmt::format("cluster: {}\n", scalar(observed_.cluster));
    }
    out += write_hosts() + write_gpus() + assignments + write_policy();
    if (out.size() > kMostBytes) {
      return refuse(fmt::format("the file would have {} bytes, and at most {} are read: export hosts apart", out.size(),
                                human_size(kMostBytes)),
                    "host", {});
    }
    return out;
  }

 private:
  static tl::unexpected<Error> refuse(std::string message, std::string_view object, std::string_view name) {
    Diagnostic diagnostic;
    diagnostic.code = Code::kCannotExport;
    diagnostic.message = std::move(message);
    diagnostic.object = object;
    diagnostic.name = name;
    return fail({std::move(diagnostic)});
  }

  void look_at_hosts() {
    hosts_.resize(observed_.hosts.size());
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      const Host& host = observed_.hosts[h];
      ExportedHost& seen = hosts_[h];
      seen.managed.assign(host.gpus.size(), false);
      seen.load.assign(host.gpus.size(), 0);
      for (const Adapter& adapter : host.adapters) {
        if (adapter.gpu >= 0) {
          ++seen.load[static_cast<std::size_t>(adapter.gpu)];
        } else if (adapter.gpu == Adapter::kUnresolved) {
          ++seen.unresolved;
        }
      }
      const Gpu* first = nullptr;
      for (const Gpu& gpu : host.gpus) {
        if (gpu.status == GpuStatus::kPartitioned || gpu.status == GpuStatus::kParavirtualization) {
          first = first == nullptr ? &gpu : first;
          seen.one_model = seen.one_model && gpu.model == first->model;
        }
      }
      unread_ = unread_ || !host.reachable;
    }
  }

  /// True where every partition that VMs hold of the model on the host has room: a line for it is not refused.
  bool has_room(std::size_t h, std::string_view model) const {
    const Host& host = observed_.hosts[h];
    std::uint64_t partitions = 0;
    std::uint64_t load = hosts_[h].unresolved;
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      const Gpu& gpu = host.gpus[g];
      if (gpu.model != model || gpu.status != GpuStatus::kPartitioned) {
        continue;
      }
      const std::uint32_t count = gpu.partition_count.value_or(0);
      if (hosts_[h].load[g] > count) {
        return false;
      }
      partitions += count;
      load += hosts_[h].load[g];
    }
    return load <= partitions;
  }

  /// A line for GPUs of a host, or for the same GPUs of another one where model and count agree.
  void add_to_line(std::size_t h, std::string_view model, std::string_view device, std::optional<std::uint32_t> count) {
    const auto same = std::find_if(lines_.begin(), lines_.end(), [&](const GpuLine& line) {
      return line.model == model && line.device == device && line.count == count;
    });
    if (same != lines_.end()) {
      same->hosts.push_back(h);
    } else {
      lines_.push_back({model, device, count, {h}, false});
    }
  }

  void make_lines() {
    std::set<std::string_view> left_out;  // models that some host has and no line of it manages
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      std::set<std::pair<std::string_view, std::string_view>> done;
      for (const Gpu& gpu : observed_.hosts[h].gpus) {
        const std::string_view device = gpu.model.empty() ? gpu.device : std::string_view{};
        if (done.insert({gpu.model, device}).second && !manage(h, gpu.model, device)) {
          left_out.insert(gpu.model);
        }
      }
    }
    for (GpuLine& line : lines_) {
      const auto alike =
          std::count_if(lines_.begin(), lines_.end(), [&](const GpuLine& other) { return other.model == line.model; });
      line.names_hosts = line.model.empty() || alike > 1 || left_out.count(line.model) != 0;
    }
  }

  /// Manages the host's GPUs of a model (or of a device, where PnP gave them no model), if a line can.
  bool manage(std::size_t h, std::string_view model, std::string_view device) {
    const Host& host = observed_.hosts[h];
    const auto chosen = [&](const Gpu& gpu) { return model.empty() ? gpu.device == device : gpu.model == model; };
    const std::string_view name = model.empty() ? (device.empty() ? std::string_view("?") : device) : model;
    std::optional<std::uint32_t> count;
    bool one_count = true;
    bool partitioned = true;
    for (const Gpu& gpu : host.gpus) {
      if (!chosen(gpu)) {
        continue;
      }
      partitioned = partitioned && gpu.status == GpuStatus::kPartitioned && gpu.model == model;
      one_count = one_count && (!count || gpu.partition_count == count);
      count = gpu.partition_count;
    }
    if (!partitioned) {
      notes_.add("Not managed, since not all GPUs of the model are partitioned", host.name, name);
      return false;
    }
    if (model.empty() ? !is_pci_device(device) : !can_stand_in_file(model)) {
      notes_.add("Not managed, since a file cannot name the model", host.name, name);
      return false;
    }
    if (!has_room(h, model)) {
      notes_.add("Not managed, since VMs hold more partitions than there are", host.name, name);
      return false;
    }
    for (std::size_t g = 0; g < host.gpus.size(); ++g) {
      if (chosen(host.gpus[g])) {
        hosts_[h].managed[g] = true;
      }
    }
    hosts_[h].models.push_back(model);
    add_to_line(h, model, device, one_count && count && *count > 0 ? count : std::nullopt);
    return true;
  }

  void count_names() {
    for (const Host& host : observed_.hosts) {
      for (const Vm& vm : host.vms) {
        ++vms_of_name_[vm.name];
        ++vms_of_id_[fold_case(vm.id)];
      }
    }
  }

  /// How a line names the VM alone: `vm: infer-01`, with `id` and `host` where they are needed; empty if none can.
  std::string name_of(const Host& host, const Vm& vm) const {
    const bool nameable = can_stand_in_file(vm.name);
    std::string name = nameable ? fmt::format("  - vm: {}\n", scalar(vm.name)) : std::string();
    if (nameable && vms_of_name_.at(vm.name) == 1) {
      return name;
    }
    const std::string on = fmt::format("    host: {}\n", scalar(host.name));
    if (is_guid(vm.id)) {
      const std::string id = fmt::format("{} id: {}\n", nameable ? "   " : "  -", quoted(vm.id));
      return name + id + (vms_of_id_.at(fold_case(vm.id)) == 1 ? std::string() : on);
    }
    const auto alike =
        std::count_if(host.vms.begin(), host.vms.end(), [&](const Vm& other) { return other.name == vm.name; });
    return nameable && alike == 1 ? name + on : std::string();
  }

  static std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
  }

  /// The line that lists the VM, or nothing where no line can say what it holds.
  std::string line_of(std::size_t h, const Vm& vm) {
    const Host& host = observed_.hosts[h];
    const ExportedHost& seen = hosts_[h];
    const Adapter& adapter = host.adapters_of(vm).front();
    const bool resolved = adapter.gpu >= 0;
    if (vm.adapter_count > 1) {
      notes_.add("Not listed, since it holds several partitions", host.name, vm.name);
      return {};
    }
    const bool fits = resolved ? seen.managed[static_cast<std::size_t>(adapter.gpu)]
                               : adapter.gpu == Adapter::kUnresolved && seen.one_model && seen.models.size() == 1;
    const std::string_view model = !fits      ? std::string_view{}
                                   : resolved ? host.gpus[static_cast<std::size_t>(adapter.gpu)].model
                                              : seen.models[0];
    if (!fits || (model.empty() && seen.models.size() > 1)) {
      notes_.add("Not listed, since no line can mean the partition that it holds", host.name, vm.name);
      return {};
    }
    std::string line = name_of(host, vm);
    if (line.empty()) {
      notes_.add("Not listed, since a file cannot name it", host.name, vm.name);
      return {};
    }
    if (seen.models.size() > 1) {
      line += fmt::format("    gpu: {}\n", scalar(model));
    }
    if (vm.clustered && vm.offline_action != OfflineAction::kForceShutdown) {  // which is the default
      line += fmt::format("    offlineAction: {}\n", to_string(vm.offline_action.value_or(OfflineAction::kUnmanaged)));
    }
    return line;
  }

  std::string write_assignments() {
    std::string out;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      for (const Vm& vm : observed_.hosts[h].vms) {
        if (vm.adapter_count == 0) {
          continue;
        }
        const std::string line = line_of(h, vm);
        holders_left_ = holders_left_ || line.empty();
        out += line;
      }
    }
    return out.empty() ? out : "assignments:\n" + out;
  }

  std::string path(const std::string& path) const {
    if (options_.folder.empty() || is_from_root(path)) {
      return path;
    }
    const std::filesystem::path relative = path_of(path).lexically_relative(path_of(options_.folder));
    return relative.empty() ? path : path_text(relative);
  }

  std::string connect_of(const Host& host) const {
    const auto target = std::find_if(options_.targets.begin(), options_.targets.end(),
                                     [&](const HostTarget& t) { return same_name(t.name, host.name); });
    std::string out;
    const auto key = [&out](std::string_view name, const std::string& value) {
      if (!value.empty()) {
        out += fmt::format(", {}: {}", name, scalar(value));
      }
    };
    if (target == options_.targets.end()) {
      const bool named = !options_.snapshot.empty() && options_.snapshot != "-";
      key("file", named ? path(options_.snapshot) : "snapshot.json");
      return "{ transport: simulated" + out + " }";
    }
    const Connect& connect = target->connect;
    key("file", connect.file.empty() ? connect.file : path(connect.file));
    key("address", connect.address);
    key("hostName", connect.host_name);
    if (connect.port) {
      out += fmt::format(", port: {}", *connect.port);
    }
    key("user", connect.user);
    key("identityFile", connect.identity_file.empty() ? connect.identity_file : path(connect.identity_file));
    key("knownHosts", connect.known_hosts.empty() ? connect.known_hosts : path(connect.known_hosts));
    key("powershell", connect.powershell);
    key("configurationName", connect.configuration_name);
    return fmt::format("{{ transport: {}{} }}", to_string(connect.transport), out);
  }

  std::string write_hosts() const {
    std::string out = "hosts:\n";
    for (const Host& host : observed_.hosts) {
      if (!host.reachable) {
        out += fmt::format("  # not read: {}\n",
                           escape_terminal(host.error.empty() ? std::string_view("no reason given") : host.error));
      }
      out += fmt::format("  - name: {}\n    connect: {}\n", scalar(host.name), connect_of(host));
    }
    return out;
  }

  std::string write_gpus() const {
    std::string out;
    for (const GpuLine& line : lines_) {
      out += line.model.empty() ? fmt::format("  - device: {}\n", quoted(line.device))
                                : fmt::format("  - model: {}\n", scalar(line.model));
      if (line.count) {
        out += fmt::format("    partitionCount: {}\n", *line.count);
      }
      if (line.names_hosts) {
        std::string hosts;
        for (const std::size_t h : line.hosts) {
          hosts += (hosts.empty() ? "" : ", ") + scalar(observed_.hosts[h].name);
        }
        out += fmt::format("    hosts: [{}]\n", hosts);
      }
    }
    return out.empty() ? out : "gpus:\n" + out;
  }

  bool homogeneous() const {
    std::set<std::tuple<std::string_view, std::optional<std::uint64_t>, std::uint32_t>> kinds;
    for (const Host& host : observed_.hosts) {
      for (const Gpu& gpu : host.gpus) {
        if (gpu.status == GpuStatus::kPartitioned) {
          kinds.insert({gpu.model, gpu.total_vram, gpu.partition_count.value_or(0)});
        }
      }
    }
    return kinds.size() < 2;
  }

  /// The rules that a plan of this file would find broken, of those that may be overridden.
  std::set<std::string_view> broken_rules() const {
    std::set<std::string_view> broken;
    for (std::size_t h = 0; h < hosts_.size(); ++h) {
      const Host& host = observed_.hosts[h];
      if (hosts_[h].models.empty()) {
        continue;
      }
      const Release* const release = release_of(host.build, host.edition);
      const auto breaks = [&](RuleCheck check) {
        const PlatformRule& rule = rule_for(check);
        if (rule.refuses && rule.may_override && rule.applies_to(release)) {
          broken.insert(rule.id);
        }
      };
      if (!observed_.cluster.empty()) {
        breaks(RuleCheck::kClusterEdition);
      }
      breaks(RuleCheck::kReleaseSupported);
      if (std::any_of(hosts_[h].models.begin(), hosts_[h].models.end(),
                      [&](std::string_view model) { return support_of(model, release) == ModelSupport::kNotListed; })) {
        breaks(RuleCheck::kModelListed);
      }
    }
    return broken;
  }

  std::string write_policy() const {
    std::string out;
    if (holders_left_) {
      out += "  unlisted: keep\n";
    } else if (unread_) {
      out += "  unlisted: keep  # not all hosts were read: what their VMs hold is not listed here\n";
    }
    if (!observed_.cluster.empty() && !homogeneous()) {
      out += "  homogeneous: warn\n";
    }
    const std::set<std::string_view> broken = broken_rules();
    if (!broken.empty()) {
      out += "  override:\n";
      for (const std::string_view rule : broken) {
        out += fmt::format("    - rule: {}\n      reason: observed when this file was exported\n", rule);
      }
    }
    return out.empty() ? out : "policy:\n" + out;
  }

  const ObservedState& observed_;
  const ExportOptions& options_;
  std::vector<ExportedHost> hosts_;  ///< as ObservedState::hosts
  std::vector<GpuLine> lines_;
  std::unordered_map<std::string_view, std::uint32_t> vms_of_name_;
  std::unordered_map<std::string, std::uint32_t> vms_of_id_;
  Notes notes_;
  bool unread_ = false;
  bool holders_left_ = false;  ///< a VM that holds partitions is not listed
};

}  // namespace

Result<std::string> export_desired(const ObservedState& observed, const ExportOptions& options) {
  return Exporter(observed, options).run();
}

}  // namespace gpup
