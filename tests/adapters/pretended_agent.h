#pragma once

#include <filesystem>
#include <string>

#include "adapters/temporary_folder.h"
#include "model/connect.h"

namespace gpup {

/// A shell script that stands in for PowerShell with an agent in it, and speaks the protocol as well or as badly as a
/// test wants. It has these words: `hello` takes the script and the first request, `ok ID RESULT` and `no ID ERROR`
/// answer, `next` takes a request into $line, $id and $op and ends where there is none.
inline std::string pretended_agent(const TemporaryFolder& folder, const std::string& body,
                                   const std::string& name = "agent") {
  static const std::string kWords =
      "#!/bin/bash\n"
      "say() { printf 'gpup-%s %s:%s\\n' \"$nonce\" \"${#1}\" \"$1\"; }\n"
      "ok() { say \"{\\\"id\\\":$1,\\\"ok\\\":true,\\\"result\\\":$2}\"; }\n"
      "no() { say \"{\\\"id\\\":$1,\\\"ok\\\":false,\\\"error\\\":$2}\"; }\n"
      "take_script() { while IFS= read -r line && [ \"$line\" != . ]; do :; done; }\n"
      "next() {\n"
      "  IFS= read -r line || exit 0\n"
      "  id=${line#*'\"id\":'}; id=${id%%,*}\n"
      "  op=${line#*'\"op\":\"'}; op=${op%%'\"'*}\n"
      "}\n"
      "listen() { take_script; next; nonce=${line#*'\"nonce\":\"'}; nonce=${nonce%%'\"'*}; }\n"
      "hello() { listen; ok 1 '{\"protocol\":1,\"computer\":\"HV-1\"}'; }\n";
  const std::string path = folder / name;
  spill(path, kWords + "cd '" + folder.path() + "'\n" + body);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

/// A host that is served by such a script.
inline HostTarget pretended_host(const std::string& path, const std::string& name = "hv-1") {
  HostTarget host{name, {}};
  host.connect.transport = Transport::kLocal;
  host.connect.powershell = path;
  return host;
}

}  // namespace gpup
