#include "observed/observed_state.h"

#include <algorithm>

#include "base/text.h"

namespace gpup {

const Host* find_host(const ObservedState& observed, std::string_view name) {
  const auto found = std::find_if(observed.hosts.begin(), observed.hosts.end(),
                                  [name](const Host& host) { return same_name(host.name, name); });
  return found == observed.hosts.end() ? nullptr : &*found;
}

const Vm* find_vm(const Host& host, std::string_view id) {
  const auto found =
      std::find_if(host.vms.begin(), host.vms.end(), [id](const Vm& vm) { return same_name(vm.id, id); });
  return found == host.vms.end() ? nullptr : &*found;
}

const Gpu* find_gpu(const Host& host, std::string_view name) {
  const auto found =
      std::find_if(host.gpus.begin(), host.gpus.end(), [name](const Gpu& gpu) { return same_name(gpu.name, name); });
  return found == host.gpus.end() ? nullptr : &*found;
}

}  // namespace gpup
