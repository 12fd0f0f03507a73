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

  /// By a flush that begins after this call. Where flushing takes long it waits for all tasks that are ready and as
  /// urgent, else for its equals: what they note until then goes with it. Nothing is lost by doing it on the loop's
  /// thread: what could be done meanwhile would have to wait for the flush after it.
  Task<Result<Done>> next();

 private:
  struct Asked {
    Loop::Waiting waiting;
    Result<Done>* result;
  };

  Task<> flush();

  Loop& loop_;
  Journal& journal_;
  bool takes_long_ = true;
  std::vector<Asked> asked_;
  std::optional<Loop::Rank> planned_;  ///< of the flush that is to come
};

}  // namespace gpup
