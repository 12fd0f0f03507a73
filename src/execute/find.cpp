#include "execute/find.h"

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

std::string vm_words(const PlanVm& vm) { return fmt::format("{} ({})", vm.name, vm.id); }

std::string partitions_words(const std::vector<std::string_view>& gpus) {
  if (gpus.empty()) {
    return "no partition";
  }
  std::string words;
  for (const std::string_view gpu : gpus) {
    words += words.empty() ? "" : ", ";
    words += gpu.empty() ? "a partition that is not resolved" : fmt::format("a partition of {}", short_gpu_name(gpu));
  }
  return words;
}

std::string why(const Error& error) {
  return error.message.empty() && !error.diagnostics.empty() ? error.diagnostics.front().message : error.message;
}

Called called(const Error& error, Code otherwise) {
  return error.diagnostics.empty() ? Called{otherwise, {}}
                                   : Called{error.diagnostics.front().code, error.diagnostics.front().hint};
}

std::string_view offline_action_words(std::uint32_t value) {
  return value == kNone ? "none" : to_string(static_cast<OfflineAction>(value));
}

Task<std::string> where_now(const Plan& plan, const PlanVm& vm, SharedReads& reads) {
  for (std::uint32_t host = 0; host < plan.hosts.size(); ++host) {
    if (host == vm.host) {
      continue;
    }
    const Reading reading = co_await reads.after_now(host);
    if (*reading && find_vm((*reading)->hosts.front(), vm.id) != nullptr) {
      co_return plan.hosts[host].name;
    }
  }
  co_return std::string();
}

}  // namespace gpup
