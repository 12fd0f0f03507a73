#pragma once

#include "base/result.h"
#include "model/connect.h"
#include "observed/host_answer.h"
#include "observed/host_facts.h"
#include "observed/observed_state.h"

namespace gpup {

/// Reads hosts. Commands that must not change anything are given only this. A host that is asked, and whoever is asked
/// for it, must live until the answer was had; whatever else a request was given is its own. Used from several threads.
class HostReader {
 public:
  virtual ~HostReader() = default;

  /// Everything we could manage on the host: a state with exactly this one host, and the cluster that it is
  /// in. What cannot be read makes the whole call fail (kUnreachable, or kBadContent with places where the
  /// reply itself is wrong): a gap must never look like an absence.
  virtual HostAnswer<ObservedState> observe(const HostTarget& host) = 0;

  /// What tells whether the host is fit for partitions. What it cannot tell is not known, and mostly it says why;
  /// only a host that does not answer at all makes the call fail, as above. May be called for several hosts at a time.
  virtual Result<HostFacts> examine(const HostTarget& host) = 0;
};

}  // namespace gpup
