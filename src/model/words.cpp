#include "model/words.h"

#include <array>
#include <utility>

namespace gpup {

namespace {

template <class Enum, std::size_t N>
std::optional<Enum> find_word(const std::array<std::string_view, N>& words, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words.at(i) == text) {
      return static_cast<Enum>(i);
    }
  }
  return std::nullopt;
}

// In the order of the enumerators.
constexpr std::array<std::string_view, 4> kGpuStatus = {"partitioned", "ready-for-dda", "paravirtualization",
                                                        "not-assignable"};
constexpr std::array<std::string_view, 4> kGpuStatusSpelled = {"Partitioned", "Ready for DDA assignment",
                                                               "Paravirtualization", "Not assignable"};
constexpr std::array<std::string_view, 5> kOfflineAction = {"turn-off", "save", "shutdown", "force-shutdown",
                                                            "unmanaged"};
constexpr std::array<std::string_view, 3> kPower = {"keep", "running", "off"};
constexpr std::array<std::string_view, 3> kUnlisted = {"unassign", "keep", "refuse"};
constexpr std::array<std::string_view, 2> kHomogeneous = {"require", "warn"};
constexpr std::array<std::string_view, 2> kStopMode = {"shutdown", "turn-off"};
constexpr std::array<std::string_view, 4> kEdition = {"azure-stack-hci", "datacenter", "standard", "other"};
constexpr std::array<std::string_view, 4> kTransport = {"simulated", "local", "ssh", "psremoting"};

}  // namespace

std::string_view to_string(GpuStatus status) { return kGpuStatus.at(static_cast<std::size_t>(status)); }
std::string_view spelled_out(GpuStatus status) { return kGpuStatusSpelled.at(static_cast<std::size_t>(status)); }
std::optional<GpuStatus> parse_gpu_status(std::string_view text) { return find_word<GpuStatus>(kGpuStatus, text); }

std::string_view to_string(OfflineAction action) { return kOfflineAction.at(static_cast<std::size_t>(action)); }
int cluster_value(OfflineAction action) {
  switch (action) {
    case OfflineAction::kTurnOff:
      return 0;
    case OfflineAction::kSave:
      return 1;
    case OfflineAction::kShutdown:
      return 2;
    case OfflineAction::kForceShutdown:
    case OfflineAction::kUnmanaged:
      break;
  }
  return 3;
}

std::optional<OfflineAction> parse_offline_action(std::string_view text) {
  return find_word<OfflineAction>(kOfflineAction, text);
}
std::optional<OfflineAction> parse_observed_action(std::string_view text) {
  const std::optional<OfflineAction> action = parse_offline_action(text);
  return action == OfflineAction::kUnmanaged ? std::nullopt : action;
}

std::string_view to_string(Power power) { return kPower.at(static_cast<std::size_t>(power)); }
std::optional<Power> parse_power(std::string_view text) { return find_word<Power>(kPower, text); }

std::string_view to_string(Unlisted unlisted) { return kUnlisted.at(static_cast<std::size_t>(unlisted)); }
std::optional<Unlisted> parse_unlisted(std::string_view text) { return find_word<Unlisted>(kUnlisted, text); }

std::string_view to_string(Homogeneous homogeneous) { return kHomogeneous.at(static_cast<std::size_t>(homogeneous)); }
std::optional<Homogeneous> parse_homogeneous(std::string_view text) {
  return find_word<Homogeneous>(kHomogeneous, text);
}

std::string_view to_string(StopMode mode) { return kStopMode.at(static_cast<std::size_t>(mode)); }
std::optional<StopMode> parse_stop_mode(std::string_view text) { return find_word<StopMode>(kStopMode, text); }

std::string_view to_string(Edition edition) { return kEdition.at(static_cast<std::size_t>(edition)); }
std::optional<Edition> parse_edition(std::string_view text) { return find_word<Edition>(kEdition, text); }

std::string_view to_string(Transport transport) { return kTransport.at(static_cast<std::size_t>(transport)); }
std::optional<Transport> parse_transport(std::string_view text) { return find_word<Transport>(kTransport, text); }

}  // namespace gpup
