#include "adapters/agent_launch.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "adapters/agent_wire.h"
#include "base/paths.h"
#include "base/text.h"

namespace gpup {

namespace {

#ifdef _WIN32
constexpr std::string_view kPowerShellHere = "powershell.exe";
#else
constexpr std::string_view kPowerShellHere = "pwsh";
#endif
constexpr std::string_view kPowerShellWithSsh = "pwsh";      // -HostName is not in 5.1
constexpr std::string_view kPowerShellThere = "powershell";  // 5.1 is on every host, in every shell's path

/// Why a value cannot be used; nothing where it can.
using Objection = std::optional<std::string>;

bool is_plain(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Objection control_character(std::string_view text) {
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code < 0x20 || code == 0x7f;
  });
  return control ? Objection("holds a control character") : std::nullopt;
}

Objection against_address(std::string_view address) {
  if (address.empty()) {
    return "is empty";
  }
  if (address.front() == '-') {
    return "begins with '-', which ssh would take for an option";
  }
  // A user's own ssh configuration may put the name in a command line (%h).
  const bool plain = std::all_of(address.begin(), address.end(), [](char c) {
    return is_plain(c) || std::string_view("._-:%").find(c) != std::string_view::npos;
  });
  return plain ? std::nullopt : Objection("holds what no host name or IP address holds");
}

Objection against_user(std::string_view user) {
  if (!user.empty() && user.front() == '-') {
    return "begins with '-', which ssh would take for an option";
  }
  if (const std::size_t at = user.find_first_of("'`\"$;&<>|(){}*?[]!"); at != std::string_view::npos) {
    return fmt::format("holds '{}', which a shell would obey", user[at]);
  }
  return control_character(user);
}

/// ssh expands `%`, `~` and `${...}` in paths, and reads those of -o as lines of its configuration.
Objection against_path(std::string_view path) {
  if (path.find_first_of("\"\\") != std::string_view::npos || path.find("${") != std::string_view::npos) {
    return "holds '\"', '\\' or '${', which ssh would change";
  }
  return control_character(path);
}

std::string path_for_ssh(std::string_view path) {
  std::string safe = is_from_root(path) ? "" : "./";
  for (const char c : path) {
    safe += c == '%' ? std::string("%%") : std::string(1, c);
  }
  return safe;
}

/// The far side's shell may be cmd, PowerShell or sh: what is quoted in one is not in another.
Objection against_remote_program(std::string_view program) {
  const bool plain = std::all_of(program.begin(), program.end(), [](char c) {
    return is_plain(c) || std::string_view("._-:/\\~").find(c) != std::string_view::npos;
  });
  if (!plain || program.front() == '-' || program.front() == '~') {
    return "is not made of letters, digits and . _ - : / \\ alone, so that no shell could take it otherwise";
  }
  return std::nullopt;
}

tl::unexpected<Error> unusable(const HostTarget& host, std::string_view key, std::string_view value,
                               const std::string& objection, std::string hint = {}) {
  Diagnostic diagnostic;
  diagnostic.code = Code::kConnectUnusable;
  diagnostic.message = fmt::format("'{}' {}: '{}'", key, objection, value);
  diagnostic.host = host.name;
  diagnostic.object = "host";
  diagnostic.hint = std::move(hint);
  return tl::unexpected<Error>(Error{ErrorCode::kUnreachable, diagnostic.message, {diagnostic}});
}

/// For ssh, whose messages are told apart.
std::vector<std::pair<std::string, std::string>> plain_words() { return {{"LC_ALL", "C"}}; }

std::vector<std::string> agent_words(std::string_view powershell, std::string_view bootstrap) {
  return {std::string(powershell), "-NoLogo", "-NoProfile",      "-NonInteractive",
          "-OutputFormat",         "Text",    "-EncodedCommand", encoded_command(bootstrap)};
}

Result<AgentLaunch> launch_here(const HostTarget& host, std::string_view bootstrap) {
  AgentLaunch launch;
  const std::string& given = host.connect.powershell;
  launch.powershell = given.empty() ? kPowerShellHere : given;
  launch.argv = agent_words(launch.powershell, bootstrap);
  return launch;
}

Result<AgentLaunch> launch_ssh(const HostTarget& host, std::chrono::seconds bound, std::string_view bootstrap) {
  constexpr std::chrono::seconds kLongestConnect(20);
  constexpr std::chrono::seconds kAlive(15);  // three times without an answer ends the session
  const Connect& connect = host.connect;
  AgentLaunch launch;
  launch.way = AgentLaunch::Way::kSsh;
  launch.powershell = connect.powershell.empty() ? kPowerShellThere : connect.powershell;
  launch.destination = connect.address;
  if (const Objection wrong = against_remote_program(launch.powershell)) {
    return unusable(host, "powershell", launch.powershell, *wrong,
                    "give a name that is in the host's PATH, or the path's short form (C:\\PROGRA~1\\...)");
  }
  std::string command = agent_command(launch.powershell, bootstrap);
  if (command.size() >= kLongestRemoteCommand) {
    return unusable(host, "powershell", launch.powershell,
                    fmt::format("makes the remote command {} characters long; some hosts cut it off from {} on",
                                command.size(), kLongestRemoteCommand));
  }
  std::vector<std::string>& argv = launch.argv;
  argv = {"ssh", "-T", "-a", "-x", "-e", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"};
  const auto option = [&](std::string value) {
    argv.emplace_back("-o");
    argv.push_back(std::move(value));
  };
  if (!connect.known_hosts.empty()) {
    option(fmt::format("UserKnownHostsFile=\"{}\"", path_for_ssh(connect.known_hosts)));
  }
  option(fmt::format("ConnectTimeout={}", std::max<std::int64_t>(1, std::min(bound, kLongestConnect).count())));
  option(fmt::format("ServerAliveInterval={}", kAlive.count()));
  if (!connect.identity_file.empty()) {
    option("IdentitiesOnly=yes");  // an agent full of other keys would use up the tries that the server allows
    argv.insert(argv.end(), {"-i", path_for_ssh(connect.identity_file)});
  }
  if (connect.port) {
    argv.insert(argv.end(), {"-p", std::to_string(*connect.port)});
  }
  if (!connect.user.empty()) {
    argv.insert(argv.end(), {"-l", connect.user});
  }
  argv.insert(argv.end(), {"--", connect.address, std::move(command)});
  launch.environment = plain_words();
  return launch;
}

Result<AgentLaunch> launch_session(const HostTarget& host, std::string_view bootstrap) {
  AgentLaunch launch;
  launch.way = AgentLaunch::Way::kSession;
  launch.powershell = host.connect.host_name.empty() ? kPowerShellHere : kPowerShellWithSsh;
  launch.destination = host.connect.host_name.empty() ? host.connect.address : host.connect.host_name;
  launch.argv = agent_words(launch.powershell, bootstrap);
  if (!host.connect.host_name.empty()) {
    launch.environment = plain_words();
  }
  return launch;
}

}  // namespace

std::string agent_command(std::string_view powershell, std::string_view bootstrap) {
  return fmt::format("{}", fmt::join(agent_words(powershell, bootstrap), " "));
}

Result<AgentLaunch> launch_of(const HostTarget& host, std::chrono::seconds bound, std::string_view bootstrap) {
  const Connect& connect = host.connect;
  const bool remote = connect.transport == Transport::kSsh || connect.transport == Transport::kPsRemoting;
  if (remote) {
    const bool by_name = !connect.host_name.empty();
    const std::string& address = by_name ? connect.host_name : connect.address;
    if (const Objection wrong = against_address(address)) {
      return unusable(host, by_name ? "hostName" : "address", address, *wrong);
    }
    if (const Objection wrong = against_user(connect.user)) {
      return unusable(host, "user", connect.user, *wrong);
    }
    for (const auto& [key, path] :
         {std::pair("identityFile", connect.identity_file), std::pair("knownHosts", connect.known_hosts)}) {
      if (const Objection wrong = against_path(path)) {
        return unusable(host, key, path, *wrong);
      }
    }
  }
  switch (connect.transport) {
    case Transport::kLocal:
      return launch_here(host, bootstrap);
    case Transport::kSsh:
      return launch_ssh(host, bound, bootstrap);
    case Transport::kPsRemoting:
      return launch_session(host, bootstrap);
    case Transport::kSimulated:
      break;
  }
  return unusable(host, "transport", to_string(connect.transport), "needs no PowerShell");
}

}  // namespace gpup
