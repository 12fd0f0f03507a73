#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "execute/back_off.h"
#include "execute/loop.h"
#include "execute/rounds.h"
#include "observed/host_reader.h"
#include "observed/observed_state.h"

namespace gpup {

/// What a host said of itself, or why it could not be read; one for all who asked for it. A value holds the host.
using Reading = std::shared_ptr<const Result<ObservedState>>;

/// Reads the hosts of a plan, named by their index, for many who ask at once: one reading of a host is under way at a
/// time, and whoever may take the same one shares it. Trouble that may pass is waited out, once: until the host was
/// read again nobody waits for it any more. For tasks of one loop.
class SharedReads {
 public:
  SharedReads(Loop& loop, const std::vector<HostTarget>& hosts, HostReader& reader, const Patience& patience = {});

  /// Begun after this call: whatever was done to the host before it is in there.
  Task<Reading> after_now(std::uint32_t host);

  /// Told to nobody before this call. One that is under way will do: since there is one at a time, it began after every
  /// reading that was told, and so shows whatever those have shown.
  Task<Reading> by_now(std::uint32_t host);

 private:
  Task<Reading> read(std::uint32_t host);

  Loop& loop_;
  const std::vector<HostTarget>& hosts_;
  HostReader& reader_;
  const Patience patience_;
  std::vector<Rounds<Reading>> rounds_;  ///< by host
  std::vector<bool> waited_for_;         ///< by host, in vain
};

}  // namespace gpup
