#pragma once

#include <optional>

#include "worlds/reading.h"

namespace worlds {

/// The least number of stops that leads where the file wants, by search through all states of a small world (hosts of
/// one model, at most one adapter a VM) in which the host's choices are the luckiest; nothing where no way leads there.
/// Takes from the reading only what is wanted: lines, counts, power.
std::optional<int> least_stops(const World& world, const Reading& wanted);

/// The same where so many listed VMs at most, of those that run and are to run in the end, may be down at once on each
/// host, and where nobody relies on luck: while a count is still to be set no VM gets a partition that the host would
/// choose, nor is one started that has such a partition.
std::optional<int> least_stops(const World& world, const Reading& wanted, unsigned most_down);

}  // namespace worlds
