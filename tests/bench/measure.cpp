#include "bench/measure.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace gpup::bench {

OneProcessor::OneProcessor() {
  ::sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(::sched_getcpu(), &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

OneProcessor::~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }

Cost run(const Command& command) {
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(nowhere, STDIN_FILENO);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  struct rusage usage {};
  ::wait4(child, &status, 0, &usage);
  Cost cost;
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  cost.peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  cost.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return cost;
}

std::vector<Cost> run_in_turns(const std::vector<Command>& commands, std::size_t rounds) {
  std::vector<std::vector<Cost>> costs(commands.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      costs[i].push_back(run(commands[i]));
    }
  }
  std::vector<Cost> medians;
  for (std::vector<Cost>& each : costs) {
    std::sort(each.begin(), each.end(), [](const Cost& a, const Cost& b) { return a.seconds < b.seconds; });
    medians.push_back(each[each.size() / 2]);
  }
  return medians;
}

namespace {

// Sums what each function costs itself. The format: `fn=(3) name` begins a function, later `fn=(3)`; `cfn=` names one
// that is called; a line that begins with a digit, `+`, `-` or `*` is a position and its cost; the one after `calls=`
// is what a call took.
Instructions read_counts(const std::string& path) {
  std::ifstream in(path);
  Instructions counts;
  std::string line;
  std::set<std::string> digests;  // numbers of the functions that do the digest's work
  bool in_digest = false;
  bool of_a_call = false;
  while (std::getline(in, line)) {
    const bool begins = line.starts_with("fn=(");
    if (begins || line.starts_with("cfn=(")) {
      const std::size_t open = line.find('(');
      const std::string id = line.substr(open, line.find(')') - open);
      if (line.find("sha256_block") != std::string::npos) {
        digests.insert(id);
      }
      in_digest = begins ? digests.contains(id) : in_digest;
    } else if (line.starts_with("calls=")) {
      of_a_call = true;
    } else if (!line.empty() &&
               (line[0] == '+' || line[0] == '-' || line[0] == '*' || (line[0] >= '0' && line[0] <= '9'))) {
      const std::size_t space = line.find(' ');
      if (!of_a_call && space != std::string::npos) {
        const std::uint64_t cost = std::stoull(line.substr(space + 1));
        counts.all += cost;
        counts.digest += in_digest ? cost : 0;
      }
      of_a_call = false;
    }
  }
  return counts;
}

}  // namespace

std::optional<Instructions> count_instructions(const Command& command, const std::string& folder) {
  const std::string counts = folder + "/callgrind.out";
  Command all = {"valgrind", "--tool=callgrind", "--callgrind-out-file=" + counts};
  all.insert(all.end(), command.begin(), command.end());
  ::unlink(counts.c_str());
  const Cost cost = run(all);
  if (cost.exit_code < 0 || cost.exit_code > 2 || ::access(counts.c_str(), R_OK) != 0) {
    return std::nullopt;
  }
  return read_counts(counts);
}

}  // namespace gpup::bench
