#include "execute/perform_all.h"

namespace gpup {

namespace {

class Performer {
 public:
  Performer(Loop& loop, Schedule& schedule, std::size_t most, const std::function<Task<>(std::uint32_t step)>& perform)
      : loop_(loop), schedule_(schedule), most_(most), perform_(perform) {}

  void begin_all_that_may() {
    while (under_way_ < most_ && !loop_.broken()) {
      const std::optional<std::uint32_t> step = schedule_.take();
      if (!step) {
        return;
      }
      ++under_way_;
      loop_.begin(schedule_.rank_of_taken(), see_through(*step));
    }
  }

 private:
  Task<> see_through(std::uint32_t step) {
    co_await perform_(step);
    --under_way_;
    schedule_.ended(step);
    begin_all_that_may();
  }

  Loop& loop_;
  Schedule& schedule_;
  const std::size_t most_;
  std::size_t under_way_ = 0;
  const std::function<Task<>(std::uint32_t step)>& perform_;
};

}  // namespace

void perform_all(Loop& loop, Schedule& schedule, std::size_t most,
                 const std::function<Task<>(std::uint32_t step)>& perform) {
  Performer performer(loop, schedule, most, perform);
  performer.begin_all_that_may();
  loop.run();
}

}  // namespace gpup
