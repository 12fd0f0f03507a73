#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sink.h"
#include "execute/hooks.h"
#include "execute/host_writer.h"
#include "execute/journal.h"
#include "execute/report.h"
#include "execute/signatures.h"
#include "execute/who.h"
#include "observed/host_reader.h"
#include "plan/durations.h"

namespace gpup {

enum class Stream : std::uint8_t { kIn, kOut, kErr };

/// What a command wants of hosts.
struct HostUse {
  /// How long one answer may take. A stop has its own timeout on top.
  std::chrono::seconds request_timeout{120};
  /// It may change them: a session that is opened to read can be used for that as well.
  bool may_write = false;
};

/// What runs on hosts, for the administrators who are asked to allow it.
struct AgentTexts {
  std::string_view script;     ///< serves requests there
  std::string_view bootstrap;  ///< takes the script from its input
  std::string command;         ///< the command line that carries the bootstrap
};

/// Everything a command may touch, and all of it that reads: files, streams, the clock, the terminal, hosts.
/// Commands that must not change a host are given only this. Paths are as the user gave them.
class World {
 public:
  virtual ~World() = default;

  /// The bytes of a file. What cannot be read is kCannotRead with the path and the reason; more than `most` bytes is
  /// kBadContent without a diagnostic.
  virtual Result<std::string> read_file(const std::string& path, std::uint64_t most) = 0;
  virtual Result<std::string> read_stdin(std::uint64_t most) = 0;
  virtual bool is_folder(const std::string& path) = 0;
  /// Another process is at work on that file, as far as can be told.
  virtual bool is_taken(const std::string& /*path*/) { return false; }
  /// The path from the root.
  virtual std::string absolute(const std::string& path) = 0;
  /// The names of the files in a folder (no folders), in no particular order.
  virtual Result<std::vector<std::string>> list_folder(const std::string& path) = 0;
  /// A file that appears whole or not at all.
  virtual Result<std::unique_ptr<OutputFile>> create_output(const std::string& path) = 0;

  /// stdout, buffered; `flush_out` says whether every byte went out.
  virtual Sink& out() = 0;
  virtual Result<Done> flush_out() = 0;
  /// stderr, unbuffered.
  virtual Sink& err() = 0;

  virtual bool is_terminal(Stream stream) = 0;
  /// Columns of the terminal behind a stream, 80 where there is none.
  virtual unsigned terminal_width(Stream stream) = 0;
  /// Prints the question on stderr and reads one line from stdin without its end; nothing at the end of input.
  virtual std::optional<std::string> ask(std::string_view question) = 0;
  /// An environment variable; nothing where unset.
  virtual std::optional<std::string> env(const std::string& name) = 0;
  virtual Time now() = 0;
  /// Whose run this is.
  virtual Who who() { return {}; }
  virtual Signatures& signatures() = 0;
  /// Where runs are noted unless --state-dir names another folder; empty where none is known.
  virtual std::string state_folder() { return {}; }
  /// How long steps took in earlier runs, by the journals in the state folder, which is the same for a whole run.
  virtual Durations past_durations(const std::string& /*folder*/) { return {}; }
  virtual AgentTexts agent_texts() { return {}; }

  /// Called before any host is.
  virtual void prepare_hosts(const HostUse& /*use*/) {}

  virtual HostReader& reader() = 0;
};

/// The world of the commands that change hosts.
class WritingWorld : public World {
 public:
  virtual HostWriter& writer() = 0;
  /// Lines to a file, which is emptied (kHeld where another run still writes to it), or to a pipe; `-` is stdout.
  virtual Result<std::unique_ptr<LineSink>> create_lines(const std::string& path) = 0;
  virtual Hooks& hooks() = 0;
  /// The journal of this run; asked for once.
  virtual Journal& journal(const JournalUse& use) = 0;
  /// From the first call on, the first SIGINT or SIGTERM sets the flag and the second ends the process; a SIGHUP, which
  /// may come twice where a terminal is closed, only sets it.
  virtual const std::atomic<bool>& cancelled() = 0;
  /// What stderr is told at the first of them, and where the second ends the process. The latter is called on another
  /// thread, but not after the next call of this has returned.
  virtual void set_words(std::string_view /*at_first*/, const std::function<std::string()>& /*at_last*/) {}
};

}  // namespace gpup
