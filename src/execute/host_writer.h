#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "model/connect.h"
#include "observed/host_reader.h"

namespace gpup {

/// Changes hosts. A success is the host's claim: whoever calls reads back. Errors: kRefused (the host refused,
/// nothing happened), kInterrupted (the reply was lost; it may have happened), kUnreachable (nothing was sent),
/// kHeld (`lock` only). VMs are addressed by id, never by name.
class HostWriter : public HostReader {
 public:
  /// Makes this run the host's one writer until `unlock` or the end of the process. kHeld names the holder.
  virtual Result<Done> lock(const HostTarget& host) = 0;
  virtual void unlock(const HostTarget& host) = 0;

  /// `start_owed`: that this VM is to be started again is recorded on the host before it is stopped, and forgotten
  /// once it runs: whoever comes next sees it, even where this run ends here (`Vm::start_owed`). Without, what an
  /// earlier run has recorded is forgotten once the VM is off: it is to stay so.
  virtual HostAnswer<Done> stop_vm(const HostTarget& host, const std::string& vm_id, const StopPolicy& how,
                                   bool start_owed) = 0;
  virtual HostAnswer<Done> start_vm(const HostTarget& host, const std::string& vm_id) = 0;
  /// Forgets what is recorded on this host, of a VM that may be on another by now. Only for one that was off after the
  /// stop that it was recorded for, and has been started since or is to stay off: as long as that stop could still
  /// come, a VM would be left off, and nobody would know.
  virtual HostAnswer<Done> forget_owed_start(const HostTarget& host, const std::string& vm_id) = 0;

  /// Adds one adapter to a VM that is off; not idempotent. `gpu` pins it; without one the host chooses at start.
  virtual HostAnswer<Done> assign_partition(const HostTarget& host, const std::string& vm_id,
                                            const std::optional<std::string>& gpu) = 0;
  /// Removes one adapter from a VM that is off.
  virtual HostAnswer<Done> unassign_partition(const HostTarget& host, const std::string& vm_id,
                                              const std::string& adapter) = 0;
  virtual HostAnswer<Done> set_partition_count(const HostTarget& host, const std::string& gpu, std::uint32_t count) = 0;
  virtual HostAnswer<Done> set_offline_action(const HostTarget& host, const std::string& vm_id,
                                              OfflineAction action) = 0;
};

}  // namespace gpup
