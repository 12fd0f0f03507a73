#include "render/observe_table.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "model/platform_rules.h"

namespace gpup {

namespace {

constexpr std::string_view kAbsent = "-";

/// Rows of cells in columns that are as wide as their widest cell, by columns of a terminal.
class Table {
 public:
  enum class Align : std::uint8_t { kLeft, kRight };

  void column(std::string_view title, Align align = Align::kLeft) {
    titles_.emplace_back(title);
    aligns_.push_back(align);
  }

  /// A cell a column; text from outside is escaped here.
  void row(std::vector<std::string> cells) {
    for (std::string& cell : cells) {
      cell = cell.empty() ? std::string(kAbsent) : escape_terminal(cell);
    }
    rows_.push_back(std::move(cells));
  }

  bool empty() const { return rows_.empty(); }

  void render(std::string& out) const {
    std::vector<std::size_t> widths;
    widths.reserve(titles_.size());
    for (const std::string& title : titles_) {
      widths.push_back(display_width(title));
    }
    for (const std::vector<std::string>& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::max(widths[i], display_width(row[i]));
      }
    }
    render_row(titles_, widths, out);
    for (const std::vector<std::string>& row : rows_) {
      render_row(row, widths, out);
    }
  }

 private:
  void render_row(const std::vector<std::string>& row, const std::vector<std::size_t>& widths, std::string& out) const {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t fill = widths[i] - display_width(row[i]);
      line += ' ';
      if (aligns_[i] == Align::kRight) {
        line.append(fill, ' ');
      }
      line += row[i];
      if (aligns_[i] == Align::kLeft) {
        line.append(fill, ' ');
      }
      line += ' ';
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }

  std::vector<std::string> titles_;
  std::vector<Align> aligns_;
  std::vector<std::vector<std::string>> rows_;
};

constexpr Table::Align kRight = Table::Align::kRight;

template <class Number>
std::string number(const std::optional<Number>& value) {
  return value ? std::to_string(*value) : std::string();
}

std::string size(const std::optional<std::uint64_t>& bytes) { return bytes ? human_size(*bytes) : std::string(); }

void render_gpus(const Host& host, ObserveForm form, std::string& out) {
  const bool wide = form == ObserveForm::kWide;
  Table table;
  table.column("GPU", kRight);
  table.column("Model");
  table.column("Assigned status");
  table.column("Partitions", kRight);
  table.column("Valid counts");
  table.column("VRAM total", kRight);
  table.column("VRAM available", kRight);
  table.column("VRAM a partition", kRight);
  table.column("Encode", kRight);
  table.column("Decode", kRight);
  table.column("Compute", kRight);
  if (wide) {
    table.column("Device");
    table.column("Subsystem");
    table.column("Instance path");
  }
  for (std::size_t g = 0; g < host.gpus.size(); ++g) {
    const Gpu& gpu = host.gpus[g];
    std::vector<std::string> row = {std::to_string(g + 1),
                                    std::string(gpu.model),
                                    std::string(spelled_out(gpu.status)),
                                    number(gpu.partition_count),
                                    fmt::format("{}", fmt::join(gpu.valid_partition_counts, ", ")),
                                    size(gpu.total_vram),
                                    size(gpu.available_vram),
                                    size(gpu.partition_vram),
                                    number(gpu.partition_encode),
                                    number(gpu.partition_decode),
                                    number(gpu.partition_compute)};
    if (wide) {
      row.insert(row.end(), {std::string(gpu.device), std::string(gpu.subsystem), std::string(gpu.name)});
    }
    table.row(std::move(row));
  }
  if (!table.empty()) {
    table.render(out);
  }
}

void render_partitions(const Host& host, ObserveForm form, std::string& out) {
  const bool wide = form == ObserveForm::kWide;
  Table table;
  table.column("VM");
  table.column("State");
  table.column("VM id");
  table.column("GPU", kRight);
  table.column("Partition id", kRight);
  table.column("VRAM", kRight);
  table.column("Encode", kRight);
  table.column("Decode", kRight);
  if (wide) {
    table.column("OfflineAction");
    table.column("Adapter id");
    table.column("Instance path");
  }
  for (const Vm& vm : host.vms) {
    for (const Adapter& adapter : host.adapters_of(vm)) {
      std::vector<std::string> row = {std::string(vm.name),
                                      std::string(vm.state_name),
                                      std::string(vm.id),
                                      adapter.gpu >= 0                      ? std::to_string(adapter.gpu + 1)
                                      : adapter.gpu == Adapter::kUnresolved ? std::string()
                                                                            : std::string("not found"),
                                      number(adapter.partition_id),
                                      size(adapter.vram),
                                      number(adapter.encode),
                                      number(adapter.decode)};
      if (wide) {
        row.insert(row.end(), {std::string(vm.offline_action ? to_string(*vm.offline_action) : std::string_view()),
                               std::string(adapter.id), std::string(adapter.gpu_name)});
      }
      table.row(std::move(row));
    }
  }
  if (table.empty()) {
    out += "  No VM holds a partition.\n";
  } else {
    table.render(out);
  }
}

std::size_t count_of(const Host& host, GpuStatus status) {
  return static_cast<std::size_t>(
      std::count_if(host.gpus.begin(), host.gpus.end(), [status](const Gpu& gpu) { return gpu.status == status; }));
}

/// The admin centre's words, and what to look at first, by what was found instead.
void render_nothing_to_partition(const Host& host, std::string& out) {
  out +=
      "  No partitionable GPUs have been found. Please check that you have a GPU with the correct GPU-P driver to "
      "proceed.\n";
  if (host.gpus.empty()) {
    out +=
        "  - The host lists no GPU: check that a supported card is installed and that the host's vGPU driver is "
        "(Get-PnpDevice, then Get-VMHostPartitionableGpu).\n";
  }
  struct Cause {
    GpuStatus status;
    std::string_view text;
  };
  constexpr std::array<Cause, 3> kCauses = {{
      {GpuStatus::kParavirtualization,
       "the driver is there, but SR-IOV is off: enable virtualization and SR-IOV in the host's BIOS"},
      {GpuStatus::kReadyForDda,
       "given away whole (DDA), which excludes partitions: take it back with Mount-VMHostAssignableDevice"},
      {GpuStatus::kNotAssignable,
       "no GPU-P driver, or an older PCI device or one behind a switch port, which cannot be assigned"},
  }};
  for (const Cause& cause : kCauses) {
    if (const std::size_t gpus = count_of(host, cause.status); gpus != 0) {
      out += fmt::format("  - {} ({} GPU{}): {}.\n", spelled_out(cause.status), gpus, gpus == 1 ? "" : "s", cause.text);
    }
  }
}

/// What is free of a model on a host. VMs that are off hold their partitions, too.
struct Room {
  std::string_view model;
  std::string_view host;
  std::uint64_t gpus = 0;
  std::uint64_t partitions = 0;
  std::uint64_t held = 0;
};

std::vector<Room> rooms_of(const Host& host) {
  std::vector<Room> rooms;
  const auto room_of = [&](const Gpu& gpu) -> Room& {
    const auto found =
        std::find_if(rooms.begin(), rooms.end(), [&gpu](const Room& room) { return room.model == gpu.model; });
    return found != rooms.end() ? *found : rooms.emplace_back(Room{gpu.model, host.name});
  };
  for (const Gpu& gpu : host.gpus) {
    if (gpu.status == GpuStatus::kPartitioned) {
      Room& room = room_of(gpu);
      ++room.gpus;
      room.partitions += gpu.partition_count.value_or(0);
    }
  }
  std::uint64_t unresolved = 0;
  for (const Adapter& adapter : host.adapters) {
    if (adapter.gpu == Adapter::kUnresolved) {
      ++unresolved;
    } else if (adapter.gpu >= 0) {
      const Gpu& gpu = host.gpus[static_cast<std::size_t>(adapter.gpu)];
      if (gpu.status == GpuStatus::kPartitioned) {
        ++room_of(gpu).held;
      }
    }
  }
  for (Room& room : rooms) {
    room.held += unresolved;  // it may become one of any model
  }
  return rooms;
}

void render_free(const ObservedState& observed, std::string& out) {
  Table table;
  table.column("Model");
  table.column("Host");
  table.column("GPUs", kRight);
  table.column("Partitions", kRight);
  table.column("Held by VMs", kRight);
  table.column("Free", kRight);
  const auto row = [&table](const Room& room, std::string_view host, std::uint64_t free) {
    table.row({std::string(room.model), std::string(host), std::to_string(room.gpus), std::to_string(room.partitions),
               std::to_string(room.held), std::to_string(free)});
  };
  const auto free_in = [](const Room& room) { return room.partitions - std::min(room.partitions, room.held); };
  std::vector<std::vector<Room>> models;  // the rooms of each, in the order in which models are seen
  std::string mixed;
  for (const Host& host : observed.hosts) {
    const std::vector<Room> rooms = rooms_of(host);
    for (const Room& room : rooms) {
      const auto same = std::find_if(models.begin(), models.end(), [&room](const std::vector<Room>& known) {
        return known.front().model == room.model;
      });
      if (same != models.end()) {
        same->push_back(room);
      } else {
        models.push_back({room});
      }
    }
    const bool unresolved = std::any_of(host.adapters.begin(), host.adapters.end(),
                                        [](const Adapter& adapter) { return adapter.gpu == Adapter::kUnresolved; });
    if (rooms.size() > 1 && unresolved) {
      mixed += fmt::format("  Partitions on {} that have no GPU yet count against each of its models.\n",
                           escape_terminal(host.name));
    }
  }
  for (const std::vector<Room>& rooms : models) {
    Room all{rooms.front().model, {}};
    std::uint64_t free = 0;
    for (const Room& room : rooms) {
      row(room, room.host, free_in(room));
      all.gpus += room.gpus;
      all.partitions += room.partitions;
      all.held += room.held;
      free += free_in(room);
    }
    if (rooms.size() > 1) {
      row(all, "all hosts", free);
    }
  }
  if (!table.empty()) {
    out += "Free partitions\n";
    table.render(out);
    out += mixed;
  }
}

void render_host(const Host& host, ObserveForm form, std::string& out) {
  out += escape_terminal(host.name);
  if (!host.reachable) {
    out += fmt::format("  not checked: {}\n\n",
                       escape_terminal(host.error.empty() ? std::string_view("it could not be read") : host.error));
    return;
  }
  if (host.build) {
    const Release* const release = release_of(host.build, host.edition);
    out += release != nullptr ? fmt::format("  {} (build {})", release->name, *host.build)
                              : fmt::format("  build {}", *host.build);
  }
  out += '\n';
  render_gpus(host, form, out);
  const bool partitionable = count_of(host, GpuStatus::kPartitioned) != 0;
  if (!partitionable) {
    render_nothing_to_partition(host, out);
  }
  if (partitionable || !host.adapters.empty()) {
    render_partitions(host, form, out);
  }
  out += '\n';
}

}  // namespace

void render_observe(const ObservedState& observed, ObserveForm form, std::string& out) {
  if (!observed.cluster.empty()) {
    out += fmt::format("Cluster {}\n\n", escape_terminal(observed.cluster));
  }
  if (observed.hosts.empty()) {
    out += "No hosts.\n";
    return;
  }
  for (const Host& host : observed.hosts) {
    render_host(host, form, out);
  }
  render_free(observed, out);
  if (out.ends_with("\n\n")) {
    out.pop_back();
  }
}

}  // namespace gpup
