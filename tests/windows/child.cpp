// A program for tests of programs on Windows.
//   gpup_child say WORD...        the words, one a line in brackets, and what came on its input, on stdout
//   gpup_child complain CODE      a line on stderr, and this exit code
//   gpup_child flood COUNT        so many bytes on stdout
//   gpup_child sleep              until it is ended
//   gpup_child parent FILE        starts another that sleeps, writes its number to FILE, and sleeps, too
//   gpup_child linger FILE        waits for the end of its input, says so, and makes FILE half a second later
//   gpup_child take LAB HOST      takes the lock of a host, says so, and keeps it until its input ends
//   gpup_child assign LAB VM N    assigns N partitions to a VM of host hv-1
//   gpup_child variable NAME      what a variable of the environment says
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "adapters/files.h"
#include "adapters/simulated_host.h"
#include "adapters/subprocess.h"
#include "adapters/terminal.h"
#include "adapters/this_process.h"

namespace {

using namespace gpup;

void sleep() { std::this_thread::sleep_for(std::chrono::minutes(10)); }

HostTarget host_of(const std::string& lab, const std::string& name) {
  HostTarget host{name, {}};
  host.connect.transport = Transport::kSimulated;
  host.connect.file = lab;
  return host;
}

std::string input() { return read_stdin(std::uint64_t{1} << 30U).value_or("?"); }

int run(const std::vector<std::string>& words, const char* program) {
  StreamSink out(1);
  StreamSink err(2);
  const std::string& deed = words.at(0);
  if (deed == "say") {
    for (std::size_t i = 1; i < words.size(); ++i) {
      out.write("[" + words[i] + "]\n");
    }
    out.write(input());
  } else if (deed == "complain") {
    err.write("it does not work\n");
    return std::atoi(words.at(1).c_str());
  } else if (deed == "flood") {
    out.write(std::string(std::stoul(words.at(1)), 'x'));
  } else if (deed == "sleep") {
    sleep();
  } else if (deed == "parent") {
    const auto other = Subprocess::start({program, "parent-of-none", words.at(1)}, {}, Subprocess::Input::kNothing);
    sleep();
  } else if (deed == "parent-of-none") {
    auto file = create_output(words.at(1));
    (*file)->write(std::to_string(process_number()));
    static_cast<void>((*file)->commit());
    sleep();
  } else if (deed == "linger") {
    input();
    out.write("it ended\n");
    const bool told = out.finish().has_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    auto file = create_output(words.at(1));
    (*file)->write(told ? "told" : "nobody listened");
    static_cast<void>((*file)->commit());
  } else if (deed == "take") {
    const auto hosts = make_simulated_hosts();
    out.write(hosts->lock(host_of(words.at(1), words.at(2))) ? "taken\n" : "held\n");
    static_cast<void>(out.finish());
    input();
    std::_Exit(0);  // without unlocking
  } else if (deed == "assign") {
    const auto hosts = make_simulated_hosts();
    for (int i = 0; i < std::stoi(words.at(3)); ++i) {
      if (!hosts->assign_partition(host_of(words.at(1), "hv-1"), words.at(2), {}).get()) {
        return 1;
      }
    }
  } else if (deed == "variable") {
    out.write(environment_variable(words.at(1)).value_or("(not set)"));
  } else {
    return 64;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  prepare_standard_streams();
  return run(arguments(argc, argv), argv[0]);
}
