#include "worlds/trial.h"

#include "worlds/pipeline.h"

namespace worlds {

namespace {

std::string told(const World& world, const Answer& answer, const std::string& what) {
  return what + "\n---" + show(world) + "---\n" + (answer.refused ? "refused:\n" : "") + answer.messages +
         (answer.refused ? "" : answer.plan.dump(1));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) {
    out += line + "\n";
  }
  return out;
}

std::string judge(const World& world, const Effort& effort, Tally& tally) {
  const Reading reading = read(world);
  const Answer given = answer(world);
  const Verdict verdict = should_refuse(reading);
  tally.refused += given.refused ? 1 : 0;
  tally.planned += given.refused ? 0 : 1;
  tally.open += verdict == Verdict::kOpen ? 1 : 0;
  if (verdict == Verdict::kRefuse && !given.refused) {
    return told(world, given, "rule 8: planned, and it must be refused:\n" + joined(reading.forbidden));
  }
  tally.over_limit += given.over_limit ? 1 : 0;
  if (verdict == Verdict::kPlan && given.refused && given.over_limit) {
    return world.limited() ? "" : told(world, given, "refused for a limit, and there is none");
  }
  if (verdict == Verdict::kPlan && given.refused) {
    return told(world, given, "refused, and nothing forbids it");
  }
  if (given.refused || reading.goal_open) {
    return "";
  }
  Judgement judgement = worlds::judge(world, reading, given.plan, effort);
  tally.orders += static_cast<std::uint64_t>(judgement.orders);
  if (!judgement.violations.empty()) {
    return told(world, given, joined(judgement.violations));
  }
  for (const World& end : judgement.ends) {
    const Answer again = answer(end);
    if (again.refused || !again.plan["steps"].empty()) {
      return told(world, given, "rule 9: planning the end again is not empty") + told(end, again, "\n--- the end:");
    }
  }
  return "";
}

}  // namespace

std::string trial(const World& world, const Effort& effort, Tally& tally) {
  ++tally.worlds;
  std::string wrong = judge(world, effort, tally);
  tally.violations += wrong.empty() ? 0 : 1;
  return wrong;
}

}  // namespace worlds
