#include "kill/engine_stage.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <csignal>

#include "adapters/powershell_hosts.h"
#include "adapters/temporary_folder.h"

namespace gpup::kill {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kBound(120);

/// Until it is so; false after a minute.
template <class Condition>
bool wait_until(const Condition& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) {
      return false;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

}  // namespace

EngineStage::EngineStage(std::string folder, std::vector<std::string> hosts, std::uint32_t seed)
    : folder_(std::move(folder)),
      names_(std::move(hosts)),
      random_(seed),
      lasting_{make_powershell_hosts(kBound, true), make_powershell_hosts(kBound, true)} {
  // The engines of a run that was killed become ours, so that their end can be waited for.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

Connect EngineStage::connect(const std::string& host) const {
  Connect connect;
  connect.transport = Transport::kLocal;
  connect.powershell = folder_ + "/" + host;
  return connect;
}

std::unique_ptr<HostWriter> EngineStage::hosts_to_lose() { return make_powershell_hosts(kBound, true); }

/// Guests are quick, but for some trials: those may still be there when the next run comes.
std::string EngineStage::begin(const std::string& lab) {
  const int shutdown_ms = random_() % 3 == 0 ? 700 : 30;
  moment_ = std::chrono::microseconds(random_() % 60000);
  json document = json::parse(lab);
  in_cluster_ = !document["cluster"].is_null();
  for (json& host : document["hosts"]) {
    host["doubles"] = {{"shutdownMs", shutdown_ms}};
  }
  for (const std::string& host : names_) {
    std::filesystem::remove_all(this->lab() + "." + host + ".programdata");
    known_[host] = started(host).size();
  }
  return document.dump() + "\n";
}

std::vector<pid_t> EngineStage::started(const std::string& host) const {
  std::vector<pid_t> processes;
  std::ifstream file(folder_ + "/" + host + ".started");
  for (pid_t process = 0; file >> process;) {
    processes.push_back(process);
  }
  return processes;
}

bool EngineStage::rest() {
  for (const std::string& host : names_) {
    const std::vector<pid_t> processes = started(host);
    for (std::size_t i = known_[host]; i < processes.size(); ++i) {
      const pid_t process = processes[i];
      const auto has_ended = [process] {
        return ::waitpid(process, nullptr, WNOHANG) == process || ::kill(process, 0) != 0;
      };
      if (!wait_until(has_ended)) {
        return false;
      }
    }
  }
  return true;
}

void EngineStage::let_guests_leave() {
  // The lab shows it once a host was looked at.
  const auto all_left = [this] {
    if (read_text(lab()).find("\"leavesAt\"") == std::string::npos) {
      return true;
    }
    for (const std::string& host : names_) {
      static_cast<void>(hosts()->observe({host, connect(host)}).get());
    }
    return false;
  };
  wait_until(all_left);
}

void EngineStage::kill(const std::string& host) {
  const std::vector<pid_t> processes = started(host);
  if (processes.size() > known_[host]) {
    ::kill(processes.back(), SIGKILL);
  }
}

/// Each change of a lab makes a new file.
std::uint64_t EngineStage::changes() const {
  struct stat now {};
  return ::stat(lab().c_str(), &now) == 0 ? now.st_ino * 1000003U + static_cast<std::uint64_t>(now.st_mtim.tv_nsec) : 0;
}

}  // namespace gpup::kill
