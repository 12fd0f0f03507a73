#pragma once

#include <memory>
#include <string>

#include "execute/host_writer.h"
#include "kill/fate.h"
#include "model/connect.h"

namespace gpup::kill {

/// What plays the hosts of a lab.
class Stage {
 public:
  virtual ~Stage() = default;

  virtual Connect connect(const std::string& host) const = 0;
  /// For a run that ends early.
  virtual std::unique_ptr<HostWriter> hosts_to_lose() = 0;
  /// For runs that do not, and to look.
  virtual std::shared_ptr<HostWriter> hosts() = 0;
  /// nullptr where requests take no time, and a session is nothing that could be killed.
  virtual Sessions* sessions() { return nullptr; }

  /// A new beginning: what hosts have noted beside the lab is gone. The lab, as it is to be on this stage.
  virtual std::string begin(const std::string& lab) { return lab; }
  /// Waits until nothing of a run that has ended is under way any more; false where it does not come to that.
  virtual bool rest() { return true; }
  /// Waits until guests that were asked to shut down have done so.
  virtual void let_guests_leave() {}
};

std::unique_ptr<Stage> make_simulated_stage(const std::string& lab);

}  // namespace gpup::kill
