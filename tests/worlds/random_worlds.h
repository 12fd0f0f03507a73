#pragma once

#include <cstdint>
#include <vector>

#include "worlds/world.h"

namespace worlds {

/// A world from a list of choices; missing ones are 0, and 0 is the plainest choice everywhere, so that a shorter list
/// of smaller numbers is a simpler world (this is what shrinking does). Several hosts and models, clusters, VMs of
/// several adapters, matches, policies, hosts that are not read, states of all kinds, names that are awkward.
World world_of(const std::vector<std::uint8_t>& choices);

/// One host with a few cards, mostly of two models of which one is not managed, and VMs that hold up to three adapters:
/// what `world_of` seldom comes to.
World crowded_world(std::uint32_t seed);

}  // namespace worlds
