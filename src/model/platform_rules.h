#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/words.h"

namespace gpup {

// What differs between platform releases is a row here; the pure checks in plan/ consult the rows.

/// How sure we are of a platform fact.
enum class Certainty : std::uint8_t {
  kDocumented,  ///< the vendor says so
  kSeen,        ///< seen in a transcript or measured by an operator
  kInferred,    ///< not confirmed on real hardware
};
std::string_view to_string(Certainty certainty);  ///< `documented`

/// A release, told by build and edition.
struct Release {
  std::string_view id;    ///< `azure-stack-hci-22h2`: the words of `platform:`
  std::string_view name;  ///< `Azure Stack HCI 22H2`
  std::uint32_t build = 0;
  std::optional<Edition> edition;  ///< nullopt: every edition of that build
};

std::span<const Release> releases();
const Release* find_release(std::string_view id);
/// The release of a host, or nullptr where none is known with that build and edition.
const Release* release_of(std::optional<std::uint32_t> build, std::optional<Edition> edition);

/// What a release's lists say of a GPU model.
enum class ModelSupport : std::uint8_t {
  kListed,     ///< the platform's own list has it
  kOtherList,  ///< only the GPU vendor's list has it for this release
  kNotListed,  ///< known, and on no list for this release
  kUnknown,    ///< a model, or a release, that we know nothing of
};
ModelSupport support_of(std::string_view model, const Release* release);

/// The model that a card of the device and subsystem is (both lower case), where models share a device id; empty where
/// none is known.
std::string_view model_by_subsystem(std::string_view device, std::string_view subsystem);
/// True where the device id alone does not tell the model.
bool shares_device(std::string_view device);

/// Whether the release's list of guests has the system, as the guest names itself (`Windows 11 Enterprise`).
bool guest_listed(std::string_view guest_os, const Release& release);

/// Which pure check consults the row.
enum class RuleCheck : std::uint8_t {
  kModelListed,
  kOnePartition,
  kGeneration2,
  kClusterEdition,
  kNothing,  ///< a fact that users should know; gpup does nothing that could break it
  kDdaOrPartition,
  kHomogeneous,
  kOfflineAction,
  kAutomaticCheckpoints,
  kDynamicMemory,
  kReleaseSupported,
};

struct PlatformRule {
  std::string_view id;  ///< `R07`
  RuleCheck check;
  std::span<const std::string_view> releases;  ///< ids; empty = all
  bool refuses;                                ///< an error, else a warning
  bool may_override;                           ///< `policy.override` may turn the error into a warning
  std::string_view statement;
  std::string_view document;
  Certainty certainty;

  bool applies_to(const Release* release) const;
};

std::span<const PlatformRule> platform_rules();
const PlatformRule* find_rule(std::string_view id);
/// The one row with that check.
const PlatformRule& rule_for(RuleCheck check);
inline bool known_rule(std::string_view id) { return find_rule(id) != nullptr; }

}  // namespace gpup
