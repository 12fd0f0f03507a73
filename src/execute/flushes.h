#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "execute/journal.h"
#include "execute/loop.h"

namespace gpup {

/// Brings to disk what the tasks of a loop have noted in a journal, that of many at once.
class Flushes {
 public:
  Flushes(Loop& loop, Journal& journal) : loop_(loop), journal_(journal) {}

  /// By a flush that begins after this call. It waits for tasks that are ready: what they note until then goes with it.
  /// Where flushing takes long it is done on another thread, and waits for all that are as urgent; else for equals.
  Task<Result<Done>> next();

 private:
  struct Asked {
    Loop::Waiting waiting;
    Result<Done>* result;
  };

  Task<> flush();
  Result<Done> flush_now();

  Loop& loop_;
  Journal& journal_;
  bool takes_long_ = true;
  std::vector<Asked> asked_;
  std::optional<Loop::Rank> planned_;  ///< of the flush that is to come
  bool under_way_ = false;
};

}  // namespace gpup
