#pragma once

#include "base/sink.h"
#include "observed/observed_state.h"

namespace gpup {

/// The observed state as a snapshot: members in one order, absent ones `null`, a line a GPU and a VM. Reading it
/// gives the same state. Streamed: the sink gets chunks, never the whole.
void write_snapshot(const ObservedState& observed, Sink& sink);

/// The same as YAML 1.2: a reader of it gets the value that a reader of the JSON gets.
void write_snapshot_yaml(const ObservedState& observed, Sink& sink);

}  // namespace gpup
