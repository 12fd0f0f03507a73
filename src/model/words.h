#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gpup {

// The field's words, as they stand in files, snapshots and plans. `parse_*` takes exactly these
// spellings; `to_string` gives them back.

/// Windows Admin Center's four assigned statuses; only the first can be a target.
enum class GpuStatus : std::uint8_t { kPartitioned, kReadyForDda, kParavirtualization, kNotAssignable };
std::string_view to_string(GpuStatus status);    ///< `ready-for-dda`
std::string_view spelled_out(GpuStatus status);  ///< `Ready for DDA assignment`
std::optional<GpuStatus> parse_gpu_status(std::string_view text);

/// What a clustered VM does when its resource goes offline. `kUnmanaged` stands only in files: leave it as it is.
enum class OfflineAction : std::uint8_t { kTurnOff, kSave, kShutdown, kForceShutdown, kUnmanaged };
std::string_view to_string(OfflineAction action);  ///< `force-shutdown`
std::optional<OfflineAction> parse_offline_action(std::string_view text);
std::optional<OfflineAction> parse_observed_action(std::string_view text);  ///< what a cluster can tell
/// What `Set-ClusterParameter` takes for it; `kUnmanaged` stands in files only and has none.
int cluster_value(OfflineAction action);

/// gpup works with Running and Off only; every other state is a person's business.
enum class VmState : std::uint8_t { kRunning, kOff, kOther };

enum class Power : std::uint8_t { kKeep, kRunning, kOff };
std::string_view to_string(Power power);
std::optional<Power> parse_power(std::string_view text);

enum class Unlisted : std::uint8_t { kUnassign, kKeep, kRefuse };
std::string_view to_string(Unlisted unlisted);
std::optional<Unlisted> parse_unlisted(std::string_view text);

enum class Homogeneous : std::uint8_t { kRequire, kWarn };
std::string_view to_string(Homogeneous homogeneous);
std::optional<Homogeneous> parse_homogeneous(std::string_view text);

enum class StopMode : std::uint8_t { kShutdown, kTurnOff };
std::string_view to_string(StopMode mode);
std::optional<StopMode> parse_stop_mode(std::string_view text);

enum class Edition : std::uint8_t { kAzureStackHci, kDatacenter, kStandard, kOther };
std::string_view to_string(Edition edition);  ///< `azure-stack-hci`
std::optional<Edition> parse_edition(std::string_view text);

enum class Transport : std::uint8_t { kSimulated, kLocal, kSsh, kPsRemoting };
std::string_view to_string(Transport transport);
std::optional<Transport> parse_transport(std::string_view text);

}  // namespace gpup
