#include "adapters/signal_answers.h"

#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "adapters/disk.h"
#include "adapters/signals.h"

namespace gpup {

std::atomic<bool> cancelled_flag = false;

namespace {

constexpr int kStandardError = 2;

/// What is to be said at the first signal, and where a second one ends the process.
struct WordsAtSignals {
  std::mutex mutex;
  std::string first;
  std::function<std::string()> last;
};

/// Never destroyed: a signal may come until the process has ended.
WordsAtSignals& words_at_signals() {
  static WordsAtSignals& only = *new WordsAtSignals;
  return only;
}

}  // namespace

void answer_first_signal() {
  WordsAtSignals& words = words_at_signals();
  std::unique_lock lock(words.mutex);
  const std::string first = words.first;
  lock.unlock();  // whoever reads stderr may take long
  disk::write_all(kStandardError, first);
}

void answer_second_signal(int signal) {
  WordsAtSignals& words = words_at_signals();
  const std::lock_guard lock(words.mutex);
  if (words.last) {
    disk::write_all(kStandardError, words.last());
  }
  std::_Exit(kEndedBySignal + signal);
}

const std::atomic<bool>& cancelled_by_signal() {
  static const bool listening = (listen_for_signals(), true);
  static_cast<void>(listening);
  return cancelled_flag;
}

void set_words_at_signals(std::string at_first, std::function<std::string()> at_last) {
  WordsAtSignals& words = words_at_signals();
  const std::lock_guard guard(words.mutex);
  words.first = std::move(at_first);
  words.last = std::move(at_last);
}

}  // namespace gpup
