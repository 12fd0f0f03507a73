#pragma once

#include <memory>

#include "execute/host_writer.h"

namespace gpup {

// A lab: a JSON file that stands for hosts. It is a snapshot; a host in it may have one more member, `simulate`
// (described by schemas/lab.v1.schema.json), all of whose members are optional:
//
//   "simulate": {
//     "placement": "first",        which GPU the host chooses for an adapter that names none: the first or last in
//                                  the file's order that has a free partition, or (spread) the one with the most free
//     "forgetsGpu": false,         true: an adapter that was not pinned loses its `gpu` when its VM stops
//     "profiles": [{"model": "NVIDIA A10", "device": "10de:2236",     (either, or both)
//                   "counts": [{"count": 4, "vram": 6375342080, "encode": 9, "decode": 6, "compute": 512}]}],
//     "heldBy": "process 4711",    the host's lock is held by somebody else
//     "facts": {"host": {"elevated": false}},  what `doctor` is told beside what the lab knows, as the agent tells it
//     "latency": {"start-vm": 20, "observe": 5},                      milliseconds, by op
//     "faults": [{"op": "start-vm", "vm": "vdi-01", "kind": "fail", "count": 1, "after": 0,
//                 "message": "...", "code": "GP187", "ms": 0, "to": "hv-e2", "performed": false}]
//   }
//
// A fault is for one op (the six of a plan, or `observe`), and for one VM (name or id) or GPU where it names one. It
// lets `after` such requests pass, then happens `count` times (default 1); `seen` counts on in the file, so that this
// holds across commands. `code` is what the error is called: some are tried again. Faults of `observe` are counted
// within a process, since reading never writes. Kinds:
//
//   fail               the host refuses with `message`; nothing happens, unless `performed`
//   claim-success      the host says that it is done and does nothing
//   lose-reply-before  the reply is lost and nothing happened
//   lose-reply-after   the reply is lost but it happened
//   drop-session       as lose-reply-before (or -after with `performed`), and the host cannot be reached any more by
//                      this process; requests under way beside it are performed, but their replies are lost
//   delay              the host takes `ms` longer
//   move-to            the VM moves to host `to` of the same lab first; then the request is refused
//
// The lab adds members of its own: `pinned` on an adapter that was assigned with a GPU, `totalEncode`, `totalDecode`
// and `totalCompute` on a GPU whose count was set.

/// Hosts with `transport: simulated`. They keep the platform's rules by themselves; their file is replaced
/// atomically, never written by reading, and may be used by several processes and threads at once: requests that take
/// time do so side by side.
std::unique_ptr<HostWriter> make_simulated_hosts();

}  // namespace gpup
