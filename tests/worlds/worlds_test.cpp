#include <doctest/doctest.h>

#include <rapidcheck.h>
#include <cstdio>
#include <string>

#include "worlds/brute_force.h"
#include "worlds/environment.h"
#include "worlds/random_worlds.h"
#include "worlds/small_worlds.h"
#include "worlds/trial.h"

using namespace worlds;

namespace {

constexpr int kShown = 5;

/// Tries the worlds of one kind: all that differ in the long form, one in `stride` of them otherwise.
void try_all(const SmallWorlds& family, std::uint64_t stride, Tally& tally) {
  int shown = 0;
  std::uint64_t kind = 0;
  for (std::uint64_t i = 0; i < family.size() && shown < kShown; ++i) {
    if (!family.first_of_its_kind(i) || kind++ % stride != 0) {
      continue;
    }
    const World world = family.at(i);
    const std::string wrong = trial(world, {1, static_cast<std::uint32_t>(i)}, tally);
    if (!wrong.empty()) {
      ++shown;
      CAPTURE(i);
      FAIL_CHECK(wrong);
    }
  }
}

/// Tries crowded worlds.
void try_crowded(std::uint64_t worlds, Tally& tally) {
  int shown = 0;
  for (std::uint64_t i = 0; i < worlds && shown < kShown; ++i) {
    const auto seed = static_cast<std::uint32_t>(i);
    const std::string wrong = trial(crowded_world(seed), {3, seed}, tally);
    if (!wrong.empty()) {
      ++shown;
      CAPTURE(i);
      FAIL_CHECK(wrong);
    }
  }
}

/// Whether our own reading of the rules stops as few VMs as a search through all states can.
std::uint64_t search_all(const SmallWorlds& family, std::uint64_t stride) {
  std::uint64_t searched = 0;
  std::uint64_t kind = 0;
  for (std::uint64_t i = 0; i < family.size(); ++i) {
    if (!family.first_of_its_kind(i) || kind++ % stride != 0) {
      continue;
    }
    const World world = family.at(i);
    const Reading reading = read(world);
    const Verdict verdict = should_refuse(reading);
    if (verdict == Verdict::kPlan) {
      ++searched;
      const auto least = least_stops(world, reading);
      CAPTURE(i);
      REQUIRE_MESSAGE(least.has_value(), show(world));
      REQUIRE_MESSAGE(*least == reading.stops(), show(world));
    } else if (reading.forbidden.size() == 1 && (reading.forbidden[0].find("more adapters than") == 0 ||
                                                 reading.forbidden[0].find("an unlisted VM that is kept") == 0)) {
      ++searched;
      REQUIRE_MESSAGE(!least_stops(world, reading).has_value(), show(world));
    }
  }
  return searched;
}

}  // namespace

TEST_CASE("no search finds a way with fewer stops, nor a way where a plan is refused for want of room") {
  const bool all = long_form();
  const std::uint64_t searched = search_all(OneHost(), all ? 1 : 97) + search_all(TwoNodes(), all ? 1 : 97);
  CHECK_GT(searched, 1000);
  std::printf("least stops: %llu small worlds searched, all agree\n", static_cast<unsigned long long>(searched));
}

/// Worlds that the long form has found wrong, once.
TEST_CASE("what was wrong once is not wrong again") {
  const std::vector<std::vector<std::uint8_t>> found = {
      // A card with more VMs than partitions until its count is set, another of its model that takes others meanwhile.
      {0, 0,   78,  0, 0, 0, 0, 90, 68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 47, 0,  0,  80, 0,   0, 110, 0,
       0, 0,   0,   0, 0, 0, 0, 0,  0,  0, 0, 0, 0, 0, 0, 0, 5, 0, 0,  83, 0,  0,  0,   0, 0,   5,
       0, 113, 191, 0, 0, 0, 0, 0,  5,  0, 0, 0, 0, 0, 0, 0, 0, 5, 0,  0,  47, 7,  239, 0, 3},
  };
  for (const std::vector<std::uint8_t>& choices : found) {
    Tally tally;
    CHECK_EQ(trial(world_of(choices), {50, static_cast<std::uint32_t>(choices.size())}, tally), "");
    CHECK_EQ(tally.planned, 1);
  }
}

TEST_CASE("every plan keeps every rule, and is refused where it must be, in small worlds and random ones") {
  const bool all = long_form();
  Tally small;
  try_all(OneHost(), number("GPUP_WORLDS_STRIDE", all ? 1 : 211), small);
  try_all(TwoNodes(), number("GPUP_WORLDS_STRIDE", all ? 1 : 211), small);

  Tally random;
  rc::detail::TestParams params;
  const std::uint64_t worlds = number("GPUP_WORLDS_RANDOM", all ? 400000 : 8000);
  Tally crowded;
  try_crowded(worlds / 4, crowded);
  params.maxSuccess = static_cast<int>(worlds);
  params.seed = number("GPUP_WORLDS_SEED", 20261124);
  params.maxSize = 100;
  const auto choices = rc::gen::resize(
      260, rc::gen::container<std::vector<std::uint8_t>>(rc::gen::resize(
               100, rc::gen::map(rc::gen::inRange(0, 256), [](int c) { return static_cast<std::uint8_t>(c); }))));
  const auto result = rc::detail::checkTestable(
      [&] {
        const std::vector<std::uint8_t> chosen = *choices;
        const std::string wrong = trial(world_of(chosen), {3, static_cast<std::uint32_t>(chosen.size())}, random);
        if (!wrong.empty()) {
          RC_FAIL(wrong);
        }
      },
      rc::detail::TestMetadata(), params);
  if (!result.template is<rc::detail::SuccessResult>()) {
    std::ostringstream out;
    rc::detail::printResultMessage(result, out);
    FAIL_CHECK(out.str());
  }

  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("worlds: %llu exhaustive, %llu random, %llu crowded, %llu orders executed, %llu violations\n",
              n(small.worlds), n(random.worlds), n(crowded.worlds), n(small.orders + random.orders + crowded.orders),
              n(small.violations + random.violations + crowded.violations));
  std::printf("  exhaustive: %llu planned, %llu refused, %llu where the contract is open\n", n(small.planned),
              n(small.refused), n(small.open));
  std::printf("  random: %llu planned, %llu refused, %llu where the contract is open\n", n(random.planned),
              n(random.refused), n(random.open));
  std::printf("  crowded: %llu planned, %llu refused, %llu where the contract is open\n", n(crowded.planned),
              n(crowded.refused), n(crowded.open));
  if (!all) {
    std::printf("  a sample of the small worlds; GPUP_WORLDS=long tries all\n");
  }
}
