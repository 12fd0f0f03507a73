#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "worlds/world.h"

namespace worlds {

/// A numbered family of small worlds: `at(0)` to `at(size() - 1)` are all its states. `first_of_its_kind` is false for
/// a world that another one with a lower number equals but for the order of its VMs or GPUs, which no rule looks at.
class SmallWorlds {
 public:
  virtual ~SmallWorlds() = default;
  virtual std::uint64_t size() const = 0;
  virtual World at(std::uint64_t number) const = 0;
  virtual bool first_of_its_kind(std::uint64_t number) const = 0;
};

/// One host, two GPUs with counts of {1, 2, 4}, three VMs in all combinations of state (running, off, saved), adapter
/// (none, unresolved, on either GPU) and wish (unlisted, listed, listed off, listed running); the wanted count, and the
/// policy for unlisted VMs.
class OneHost : public SmallWorlds {
 public:
  std::uint64_t size() const override;
  World at(std::uint64_t number) const override;
  bool first_of_its_kind(std::uint64_t number) const override;
};

/// Two hosts of a cluster, a GPU each, two clustered VMs on either host, in all combinations as above and of
/// OfflineAction; the wanted count, the policies.
class TwoNodes : public SmallWorlds {
 public:
  std::uint64_t size() const override;
  World at(std::uint64_t number) const override;
  bool first_of_its_kind(std::uint64_t number) const override;
};

}  // namespace worlds
