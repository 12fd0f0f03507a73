#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "execute/report.h"
#include "model/words.h"

namespace gpup {

/// What a journal says of one step.
struct RecordedStep {
  std::uint32_t step = 0;  ///< index into Plan::steps
  std::string op;
  std::string host;
  std::string object;              ///< the name of its VM, else of its GPU
  bool intended = false;           ///< a request may have gone out
  bool undone = false;             ///< what it did may have been taken back by the run itself
  std::optional<Outcome> outcome;  ///< absent: nothing is known of it but the intent
  std::string message;
  std::string adapter;  ///< the id of the adapter that it found or added
  std::string model;    ///< of the GPU that it was about, where that was known
  std::string time;     ///< of the last entry
  std::string began;    ///< when it had its turn on the host, or its intent was noted
  std::string ended;    ///< when its outcome was noted
};

/// A VM that the run tried to start in the end, or left off.
struct RecordedVm {
  std::string host;
  std::string vm;
  std::string vm_id;
  Outcome outcome = Outcome::kFailed;
};

/// A hook that the run has begun.
struct RecordedHook {
  std::string kind;  ///< `before`
  std::string host;  ///< empty: of the run
  std::string vm;
  std::string vm_id;
  std::optional<Outcome> outcome;  ///< absent: nobody saw its end
  std::string message;
  std::string time;  ///< of the last entry

  bool ended_well() const { return outcome && gpup::ended_well(*outcome); }
};

/// A run as its journal tells it.
struct RecordedRun {
  std::string run;      ///< the journal's name without its extension
  bool begun = false;   ///< its first entry is whole
  std::string started;  ///< as text, and so all times
  std::string plan;     ///< the id
  std::string name;     ///< of the plan
  std::string folder;   ///< the working folder, which relative paths of the plan start from
  std::string resumes;
  std::string rolls_back;
  std::string ignores_window;              ///< why VMs were stopped outside `policy.window`
  std::map<std::string, Transport> hosts;  ///< how they were reached
  std::uint64_t plan_steps = 0;
  std::vector<RecordedStep> steps;  ///< those that were noted, by their index
  std::vector<RecordedVm> restored;
  std::vector<RecordedHook> hooks;
  bool under_way = false;  ///< a process writes its journal
  std::string ended;       ///< empty where the run did not come to its end
  int exit_code = 0;

  bool ended_well() const { return !ended.empty() && (exit_code == 0 || exit_code == 3); }
};

}  // namespace gpup
