#pragma once

#include <string>
#include <utility>
#include <vector>

#include "worlds/world.h"

namespace worlds {

/// What design.md, section 5, says of a world: which GPUs are managed, who is listed, what must change, and what
/// forbids the plan. Written from the text alone; the planner is never asked.
struct Reading {
  struct VmReading {
    int line = -1;             ///< into World::lines; -1 = unlisted
    int gpu_line = -1;         ///< into World::gpu_lines
    bool must_change = false;  ///< its adapters
    std::vector<char> goes;    ///< adapters that an unlisted VM loses
    bool running_at_end = false;
    bool stops = false;
    bool starts = false;
    std::string offline;  ///< at the end
  };

  std::vector<std::vector<int>> line_of_gpu;        ///< [host][gpu] line that manages it, or -1
  std::vector<std::vector<unsigned>> count_at_end;  ///< [host][gpu]
  std::vector<std::vector<char>> changes;           ///< [host][gpu] its count does
  std::vector<char> single_model;                   ///< [host] the host may choose
  std::vector<std::vector<VmReading>> vms;          ///< [host][vm]
  std::vector<std::string> forbidden;               ///< why the plan must be refused
  std::vector<std::string> open;                    ///< why it may be refused, and need not
  bool goal_open = false;                           ///< what a plan must reach is open, too
  bool fixed_by_others = false;                     ///< not all file hosts were read

  int stops() const;
};

/// A limit of `policy.disruption` with the VMs that it counts: listed ones that are stopped and started again,
/// by the plan alone, or that an earlier run stopped and the plan starts.
struct CountedVms {
  std::vector<std::pair<int, int>> vms;  ///< host and VM
  unsigned owed = 0;                     ///< of them: down when the plan begins
  unsigned most = 0;
};
std::vector<CountedVms> limits_of(const World& world, const Reading& reading);

Reading read(const World& world);

}  // namespace worlds
