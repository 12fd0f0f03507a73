// The conformance of hosts with what is known of Hyper-V: every row of facts.cpp, asked of every side.
//   gpup_conformance FOLDER FILE...
// Each FILE is a desired-state file whose hosts are all those of labs.cpp, reached in one way: one side. They read
// their labs, which are written here, in FOLDER/TRANSPORT.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "conformance/fact.h"
#include "conformance/labs.h"
#include "conformance/side.h"
#include "desired/read_desired.h"

namespace gpup::conformance {

namespace {

int failures = 0;

void fail(const std::string& words) {
  ++failures;
  fmt::print("FAILED  {}\n", words);
}

std::string title(const Fact& fact) {
  return fmt::format("{}{}", fact.says, fact.way.empty() ? "" : fmt::format(" ({})", fact.way));
}

/// Each row once, and each inferred fact in every way that it may be.
void check_table() {
  std::set<std::string> titles;
  std::map<std::string_view, std::set<std::string_view>> ways;
  for (const Fact& fact : facts()) {
    if (!titles.insert(title(fact)).second) {
      fail(fmt::format("the table has twice: {}", title(fact)));
    }
    if (fact.mark == Mark::kInferred) {
      ways[fact.says].insert(fact.way);
    }
  }
  for (const auto& [says, of] : ways) {
    if (of.contains("") || (of.size() < 2 && !of.contains("either"))) {
      fail(fmt::format("inferred, and stands in one way only: {}", says));
    }
  }
}

std::map<std::string, HostTarget> hosts_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  Sources sources;
  sources.add(path, text.str());
  const ReadDesired read = read_desired(sources);
  if (has_error(read.diagnostics)) {
    fmt::print("{}", render_diagnostics(read.diagnostics));
    std::exit(1);
  }
  std::map<std::string, HostTarget> targets;
  for (const DesiredHost& host : read.state.hosts) {
    targets.emplace(host.target.name, host.target);
  }
  return targets;
}

std::map<std::string, HostTarget> simulated_hosts(const std::string& folder) {
  std::map<std::string, HostTarget> targets;
  for (const Lab lab : {Lab::kAlone, Lab::kCluster, Lab::kOlder, Lab::kBare}) {
    for (const std::string& host : hosts_of(lab)) {
      Connect connect;
      connect.transport = Transport::kSimulated;
      connect.file = fmt::format("{}/simulated/{}", folder, file_of(lab));
      targets.emplace(host, HostTarget{host, connect});
    }
  }
  return targets;
}

void ask_all(Side side) {
  const auto begun = std::chrono::steady_clock::now();
  std::size_t right = 0;
  for (const Fact& fact : facts()) {
    const Side::Answer answer = side.ask(fact);
    const bool guarded = !side.is_simulated() && !fact.agent_told.empty();
    const std::string_view wanted = guarded ? fact.agent_told : fact.told;
    if (answer.told != wanted) {
      fail(fmt::format("{}: {}\n  asked   {}\n  wanted  {}\n  told    {}\n{}", side.name(), title(fact), fact.deeds,
                       wanted, answer.told, answer.said));
    } else if (!side.is_simulated() && answer.said.find(fact.agent_says) == std::string::npos) {
      fail(fmt::format("{}: {}: it does not say: {}\n{}", side.name(), title(fact), fact.agent_says, answer.said));
    } else {
      ++right;
    }
  }
  const auto took = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  fmt::print("{}  {}: {} of {} rows, in {} s\n", right == facts().size() ? "ok    " : "FAILED", side.name(), right,
             facts().size(), took.count());
}

}  // namespace

}  // namespace gpup::conformance

int main(int argc, char** argv) {
  using namespace gpup::conformance;
  std::signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    return 64;
  }
  check_table();
  const std::string folder = argv[1];
  ask_all(Side(simulated_hosts(folder), folder));
  for (int i = 2; i < argc; ++i) {
    ask_all(Side(hosts_in(argv[i]), folder));
  }
  fmt::print("{} rows, {} failed\n", facts().size(), failures);
  return failures == 0 ? 0 : 1;
}
