#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include <windows.h>

#include "base/paths.h"
#include "cli/program.h"
#include "files.h"
#include "paths.h"

namespace gpup::test {

namespace {

/// A file of a folder, which a program writes to.
HANDLE stream(const Folder& folder, const std::string& name) {
  SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
  return ::CreateFileW((path_of(folder.path()) / name).c_str(), FILE_APPEND_DATA,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &inherited, CREATE_ALWAYS, 0, nullptr);
}

/// Runs `gpup apply` in our console, asks it so many times to end while its first step goes on, and gives its exit
/// code.
unsigned long ended_after(const Folder& folder, int times) {
  const std::filesystem::path program = std::filesystem::absolute(kProgram);
  std::wstring line = L"gpup apply -f desired.yaml --yes --state-dir state";
  STARTUPINFOW orders{};
  orders.cb = sizeof orders;
  orders.dwFlags = STARTF_USESTDHANDLES;
  orders.hStdOutput = stream(folder, "out");
  orders.hStdError = stream(folder, "err");
  PROCESS_INFORMATION begun{};
  REQUIRE(::CreateProcessW(program.c_str(), line.data(), nullptr, nullptr, TRUE, CREATE_NEW_PROCESS_GROUP, nullptr,
                           path_of(folder.path()).c_str(), &orders, &begun));
  ::CloseHandle(orders.hStdOutput);
  ::CloseHandle(orders.hStdError);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto await = [&](const std::string& name, const std::string& text) {
    while (folder.read(name).find(text) == std::string::npos && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    CHECK_NE(folder.read(name).find(text), std::string::npos);
  };
  std::string journal;
  while (journal.empty() && std::chrono::steady_clock::now() < until) {
    std::error_code not_there_yet;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/state", not_there_yet)) {
      if (entry.path().extension() == ".jsonl") {
        journal = "state/" + entry.path().filename().string();
      }
    }
  }
  await(journal, "\"entry\":\"intent\"");
  for (int i = 0; i < times; ++i) {
    CHECK(::GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, begun.dwProcessId));
    if (i == 0) {
      await("err", "a second signal ends gpup at once");
    }
  }
  CHECK_EQ(::WaitForSingleObject(begun.hProcess, 30000), WAIT_OBJECT_0);
  DWORD code = 0;
  ::GetExitCodeProcess(begun.hProcess, &code);
  ::CloseHandle(begun.hProcess);
  ::CloseHandle(begun.hThread);
  return code;
}

}  // namespace

TEST_CASE("the first Ctrl-Break ends a run at a step's boundary, the second at once") {
  ::AllocConsole();
  std::string lab(kLab);
  const std::string name = "\"name\": \"hv-1\"";
  REQUIRE_NE(lab.find(name), std::string::npos);
  lab.replace(lab.find(name), name.size(),
              name + R"(, "simulate": {"faults": [{"op": "set-partition-count", "kind": "delay", "ms": 4000}]})");
  for (const int times : {1, 2}) {
    CAPTURE(times);
    const Folder folder;
    folder.write("desired.yaml", kDesired);
    folder.write("lab.json", lab);
    CHECK_EQ(ended_after(folder, times), times == 1 ? 8 : 130);
    CAPTURE(folder.read("err"));
    CHECK_NE(folder.read("err").find(times == 1 ? "cancelled: " : "left at once"), std::string::npos);
  }
}

}  // namespace gpup::test
