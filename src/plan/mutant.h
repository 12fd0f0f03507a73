#pragma once

/// `GPUP_MUTANT(n)` is false. Tests build the planner once more with GPUP_MUTANTS, where it is true for the mistake
/// that is being tried: each must be caught by the worlds (`tests/worlds/mutants_test.cpp` says what they are).
#ifdef GPUP_MUTANTS
namespace gpup {
bool mutant(int number);
}
#define GPUP_MUTANT(number) ::gpup::mutant(number)
#else
#define GPUP_MUTANT(number) false
#endif
