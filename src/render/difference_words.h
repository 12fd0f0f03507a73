#pragma once

#include <string>

#include "plan/plan.h"

namespace gpup {

/// What a difference is about: `GPU NVIDIA A2 (4&18416dc3&0&0000)`, `VM vdi-01`. Unescaped.
std::string difference_subject(const Plan& plan, const Difference& difference);

/// The index of its host in Plan::hosts.
std::uint32_t difference_host(const Plan& plan, const Difference& difference);

/// What is there (`after` false) or wanted: `16 partitions of 896 MiB`, `no partition`, `a partition of NVIDIA A2
/// (...)`, `Running`, `OfflineAction save`. Unescaped.
std::string difference_value(const Plan& plan, const Difference& difference, bool after);

/// The line that wants it: `hci-east.yaml:15`; empty where a default does. Unescaped.
std::string difference_source(const Plan& plan, const Difference& difference);

/// `file:line` of a place in the plan's files; empty where it is unknown.
std::string place_words(const Plan& plan, const Place& place);

}  // namespace gpup
