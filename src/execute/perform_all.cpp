#include "execute/perform_all.h"

namespace gpup {

namespace {

class Performer {
 public:
  Performer(Loop& loop, Schedule& schedule, const std::function<Task<>(std::uint32_t step)>& perform)
      : loop_(loop), schedule_(schedule), perform_(perform) {}

  void begin_all_that_may() {
    while (!loop_.broken()) {
      const std::optional<std::uint32_t> step = schedule_.take();
      if (!step) {
        return;
      }
      loop_.begin(schedule_.rank_of_taken(), see_through(*step));
    }
  }

 private:
  Task<> see_through(std::uint32_t step) {
    co_await perform_(step);
    schedule_.ended(step);
    begin_all_that_may();
  }

  Loop& loop_;
  Schedule& schedule_;
  const std::function<Task<>(std::uint32_t step)>& perform_;
};

}  // namespace

void perform_all(Loop& loop, Schedule& schedule, const std::function<Task<>(std::uint32_t step)>& perform) {
  Performer performer(loop, schedule, perform);
  performer.begin_all_that_may();
  loop.run();
}

}  // namespace gpup
