#include "adapters/agent_errors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::uint32_t kNoSystemResources = 0x800705aaU;
constexpr std::uint32_t kAccessDenied = 0x80070005U;

/// Text up to the first comma: `ObjectNotFound,...GetVM` begins with the error, its cmdlet follows.
std::string_view first_part(std::string_view id) { return id.substr(0, id.find(',')); }
std::string_view last_part(std::string_view id) {
  const std::size_t comma = id.rfind(',');
  return comma == std::string_view::npos ? id : id.substr(comma + 1);
}

/// The HRESULT of an error: its own, unless that is only what every PowerShell error has, else the one that stands in
/// its text as 0x800705AA.
std::optional<std::uint32_t> hresult_in(std::string_view message) {
  for (std::size_t at = message.find("0x"); at != std::string_view::npos; at = message.find("0x", at + 2)) {
    constexpr std::size_t kDigits = 8;
    const std::string_view digits = message.substr(at + 2, kDigits);
    std::uint32_t value = 0;
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (wrong == std::errc{} && digits.size() == kDigits && end == digits.data() + kDigits) {
      return value;
    }
  }
  return std::nullopt;
}

bool has_hresult(const AgentError& error, std::uint32_t sought) {
  return (error.hresult && static_cast<std::uint32_t>(*error.hresult) == sought) || hresult_in(error.message) == sought;
}

/// A row: what an error must be like (empty matches all), what it means.
struct Row {
  std::string_view reason;
  std::string_view id;  ///< the error id's first part
  std::string_view of;  ///< its last part, or the end of it
  std::string_view category;
  std::uint32_t hresult;  ///< 0 matches all
  Code code;
  std::string_view words;
  std::string_view hint;
};

constexpr std::string_view kElevate =
    "gpup needs a user who is in the host's Administrators; where it runs on the host itself, an elevated shell";
constexpr std::string_view kCluster =
    "see to it that the Cluster Service runs on the host (Get-Service ClusSvc) and that it can reach the other nodes";

// The first row that fits counts.
constexpr auto kRows = std::to_array<Row>({
    {"unsupported",
     {},
     {},
     {},
     0,
     Code::kCmdletMissing,
     "the host lacks a cmdlet that gpup needs",
     "install the Hyper-V module (and on nodes of a cluster FailoverClusters): Install-WindowsFeature"
     " Hyper-V-PowerShell, RSAT-Clustering-PowerShell"},
    {"cmdlet",
     "CommandNotFoundException",
     {},
     {},
     0,
     Code::kCmdletMissing,
     "the host lacks a cmdlet that gpup needs",
     "install the Hyper-V module (and on nodes of a cluster FailoverClusters): Install-WindowsFeature"
     " Hyper-V-PowerShell, RSAT-Clustering-PowerShell"},
    {"cmdlet",
     "AccessDenied",
     "PSSessionOpenFailed",
     {},
     0,
     Code::kLoginRefused,
     "the host lets this user open no session",
     "WinRM takes administrators and Remote Management Users with their own Kerberos ticket"},
    {"cmdlet",
     {},
     "PSSessionOpenFailed",
     {},
     0,
     Code::kNoConnection,
     "no PSSession could be opened with the host",
     "try it by hand: Enter-PSSession, from this machine and as the same user"},
    {"cmdlet",
     {},
     "NewPSSessionCommand",
     {},
     0,
     Code::kNoConnection,
     "this machine's PowerShell cannot open such a session",
     "'address' goes by WinRM, which Windows has; 'hostName' goes by SSH, with PowerShell 7 on both ends"},
    {"cmdlet", {}, {}, {}, kAccessDenied, Code::kNotPermitted, "the host does not permit it", kElevate},
    {"cmdlet", "AccessDenied", {}, {}, 0, Code::kNotPermitted, "the host does not permit it", kElevate},
    {"cmdlet", {}, {}, "PermissionDenied", 0, Code::kNotPermitted, "the host does not permit it", kElevate},
    // Get-VM of a shell that is not elevated says just this.
    {"cmdlet", "Unspecified", "GetVM", "NotSpecified", 0, Code::kNotPermitted, "the host does not permit it", kElevate},
    {"cmdlet",
     "ClusterEndpointNotRegistered",
     {},
     {},
     0,
     Code::kClusterAway,
     "the host's Cluster Service does not run",
     kCluster},
    {"cmdlet",
     "ClusterRpcConnection",
     {},
     {},
     0,
     Code::kClusterAway,
     "a node of the cluster does not answer",
     kCluster},
    {"cmdlet",
     {},
     {},
     "ConnectionError",
     0,
     Code::kClusterAway,
     "the host cannot reach a service that it needs",
     kCluster},
    {"cmdlet", "InvalidState", {}, {}, 0, Code::kStepFailed, "the virtual machine is not in the state for it", {}},
    {"cmdlet", "ObjectNotFound", {}, {}, 0, Code::kStepFailed, "the host does not find it", {}},
    {"cmdlet", "OperationFailed", {}, {}, 0, Code::kStepFailed, "the host tried and failed", {}},
    {"cmdlet", {}, {}, {}, 0, Code::kStepFailed, "the host refused it", {}},
    {"timeout",
     {},
     {},
     {},
     0,
     Code::kStepFailed,
     "the virtual machine was not off in time",
     "the guest did not shut down; 'policy: { stop: { mode: turn-off } }' turns it off then. It may go down yet: 'gpup "
     "drift -f FILE' tells, and 'gpup restore-power -f FILE' starts it again"},
    {"lock", {}, {}, {}, 0, Code::kStepFailed, "this run does not hold the host's lock any more", {}},
    {"reading", {}, {}, {}, 0, Code::kStepFailed, "the agent was started to read only", {}},
    {"agent",
     {},
     {},
     {},
     0,
     Code::kNotAnAgent,
     "gpup's script failed on the host",
     "this is a fault of gpup or of the host's PowerShell: report it with the text and 'gpup version'"},
    {{},
     {},
     {},
     {},
     0,
     Code::kNotAnAgent,
     "the host's agent did not understand gpup",
     "this is a fault of gpup or of the way to the host: report it with the text and 'gpup version'"},
});

bool fits(const Row& row, const AgentError& error) {
  return (row.reason.empty() || row.reason == error.reason) &&
         (row.id.empty() || row.id == first_part(error.error_id)) &&
         (row.of.empty() || last_part(error.error_id).ends_with(row.of)) &&
         (row.category.empty() || row.category == error.category) &&
         (row.hresult == 0 || has_hresult(error, row.hresult));
}

/// `AccessDenied in GetVM`, as far as it is known.
std::string error_name(const AgentError& error) {
  const std::string_view id = first_part(error.error_id);
  std::string_view of = last_part(error.error_id);
  of.remove_prefix(of.rfind('.') == std::string_view::npos ? 0 : of.rfind('.') + 1);
  if (id.empty()) {
    return error.category;
  }
  return of.empty() || of == id ? std::string(id) : fmt::format("{} of {}", id, of);
}

std::string with_host_text(std::string_view words, const AgentError& error) {
  std::string message(words);
  if (const std::string name = host_text(error_name(error)); !name.empty()) {
    message += fmt::format(" ({})", name);
  }
  if (const std::string said = host_text(error.message); !said.empty()) {
    message += fmt::format(": {}", said);
  }
  return message;
}

std::string broken_fact(const AgentError& error) {
  const std::string expected = host_text(error.expected);
  const std::string found = host_text(error.found);
  if (error.fact == "vm") {
    return expected == "clustered" ? "the virtual machine is not clustered"
                                   : "the virtual machine is not on this host any more";
  }
  if (error.fact == "partitionCount") {
    return fmt::format("the GPU does not take a partition count of {}: {}", expected, found);
  }
  if (error.fact == "ownerNode") {
    return fmt::format("the virtual machine was on {}, is on {} now", expected, found.empty() ? "no node" : found);
  }
  const std::string_view what = error.fact == "state"      ? "the virtual machine's state"
                                : error.fact == "adapters" ? "what is assigned"
                                : error.fact == "gpu"      ? "the GPU"
                                                           : "what the step relies on";
  return fmt::format("{} is not as it was: expected {}, found {}", what, expected.empty() ? "nothing" : expected,
                     found.empty() ? "nothing" : found);
}

// ssh's own messages; it runs with LC_ALL=C.
struct SshRow {
  std::string_view said;
  std::string_view tells;  ///< the line that tells most, where it is another one
  Code code;
  std::string_view words;
  std::string_view hint;
};

constexpr std::string_view kHostKeyHint =
    "check the host's key with its administrator, then put its line in the known_hosts file (ssh-keyscan shows it)";
constexpr std::string_view kConnectHint =
    "see to it that the host runs, that sshd listens on that port and that no firewall stands between";

constexpr std::string_view kSubsystemHint =
    "sshd_config of the host needs 'Subsystem powershell PATH-OF-PWSH -sshs' with PowerShell 7, and sshd a restart";

constexpr auto kSshRows = std::to_array<SshRow>({
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", "Offending", Code::kHostKey,
     "the host's key is not the one that is known", kHostKeyHint},
    {"host key is known for", {}, Code::kHostKey, "the host's key is not known", kHostKeyHint},
    {"Host key verification failed", {}, Code::kHostKey, "the host's key is not accepted", kHostKeyHint},
    {"no matching host key type", {}, Code::kHostKey, "the host's key is of no kind that ssh accepts", kHostKeyHint},
    {"Permission denied",
     {},
     Code::kLoginRefused,
     "the host does not let this user in",
     "gpup asks for no password: give a key by identityFile or an ssh agent, and see that the host knows it"},
    {"Too many authentication failures",
     {},
     Code::kLoginRefused,
     "the host does not let this user in",
     "name the key by identityFile"},
    {"Connection refused", {}, Code::kNoConnection, "the host refuses the connection", kConnectHint},
    {"timed out", {}, Code::kNoConnection, "the host does not answer", kConnectHint},
    {"No route to host", {}, Code::kNoConnection, "there is no way to the host", kConnectHint},
    {"Network is unreachable", {}, Code::kNoConnection, "there is no way to the host", kConnectHint},
    {"Could not resolve hostname",
     {},
     Code::kNoConnection,
     "nobody knows an address of that name",
     "mend 'address', or the machine's name service"},
    {"subsystem request failed",
     {},
     Code::kNoPowerShell,
     "the host offers no PowerShell to sessions over SSH",
     kSubsystemHint},
    {"not responding", {}, Code::kSessionEnded, "the host does not answer any more", kConnectHint},
    {"Connection closed", {}, Code::kSessionEnded, "the host closed the connection", {}},
    {"Connection reset", {}, Code::kSessionEnded, "the connection was cut", {}},
});

/// The line of a text that holds `part`; the whole text where none does.
std::string_view line_with(std::string_view text, std::string_view part) {
  const std::size_t at = text.find(part);
  if (at == std::string_view::npos) {
    return text;
  }
  const std::size_t before = text.rfind('\n', at);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

/// Why ssh made no connection, or lost it; nothing where it says nothing that is known.
std::optional<Diagnostic> explain_ssh(const HostTarget& host, std::string_view said) {
  const auto* const row = std::find_if(kSshRows.begin(), kSshRows.end(), [&](const SshRow& candidate) {
    return said.find(candidate.said) != std::string_view::npos;
  });
  if (row == kSshRows.end()) {
    return std::nullopt;
  }
  const std::string_view tells = row->tells.empty() ? row->said : row->tells;
  return host_trouble(host, row->code, fmt::format("{}: {}", row->words, host_text(line_with(said, tells))),
                      std::string(row->hint));
}

/// The far shell's word that there is no such program. sh says so by 127, cmd by 9009 or by 1, with the name in
/// quotes in any language; PowerShell's id of that error is not translated.
bool says_no_such_program(const AgentLaunch& launch, const Ending& ending, std::string_view said) {
  constexpr int kOfSh = 127;
  constexpr int kOfCmd = 9009;
  constexpr int kOfCmdCut = kOfCmd & 0xff;
  return ending.code == kOfSh || ending.code == kOfCmd || ending.code == kOfCmdCut ||
         (ending.code == 1 && (said.find(fmt::format("'{}'", launch.powershell)) != std::string_view::npos ||
                               said.find("CommandNotFoundException") != std::string_view::npos));
}

std::string ended_how(const Ending& ending) {
  return ending.signal != 0 ? fmt::format("ended by signal {}", ending.signal)
         : ending.code >= 0 ? fmt::format("ended with exit code {}", ending.code)
                            : std::string("closed its output");
}

std::string and_said(std::string_view err, std::string_view noise) {
  std::string said = host_text(err);
  if (said.empty()) {
    said = host_text(noise);
  }
  return said.empty() ? said : ": " + said;
}

}  // namespace

Diagnostic host_trouble(const HostTarget& host, Code code, std::string message, std::string hint) {
  Diagnostic diagnostic;
  diagnostic.code = code;
  diagnostic.message = std::move(message);
  diagnostic.host = host.name;
  diagnostic.object = "host";
  diagnostic.hint = std::move(hint);
  return diagnostic;
}

Error host_error(ErrorCode code, Diagnostic diagnostic) {
  std::string message = diagnostic.message;
  return Error{code, std::move(message), {std::move(diagnostic)}};
}

std::string host_text(std::string_view text) {
  constexpr std::size_t kMost = 400;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // Windows PowerShell wraps what it says of its progress on stderr like this.
    if (one.starts_with("#< CLIXML") || one.starts_with("<Objs ")) {
      continue;
    }
    for (const char c : one) {
      const bool blank = c == ' ' || c == '\t' || c == '\0';
      if (!blank) {
        line += c;
      } else if (!line.empty() && line.back() != ' ') {
        line += ' ';
      }
    }
    if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') {
    line.pop_back();
  }
  if (line.size() > kMost) {
    // The last words tell most: a program's complaint follows its banner.
    std::size_t from = line.size() - kMost;
    while (from < line.size() && (static_cast<unsigned char>(line[from]) & 0xc0U) == 0x80) {
      ++from;
    }
    line = "... " + line.substr(from);
  }
  return line;
}

std::string holder_words(const AgentError& error) {
  const auto part = [](std::string_view before, const std::string& text) {
    return text.empty() ? std::string() : fmt::format(" {} {}", before, host_text(text));
  };
  const std::string who =
      error.holder_process.empty() ? " by another run" : fmt::format(" by process {}", host_text(error.holder_process));
  return "held" + who + part("of", error.holder_user) + part("on", error.holder_host) +
         part("since", error.holder_since);
}

Diagnostic explain_refusal(const HostTarget& host, const AgentError& error) {
  if (error.reason == "facts") {
    return host_trouble(host, Code::kStepFailed, broken_fact(error));
  }
  if (error.reason == "held") {
    return host_trouble(host, Code::kHostLocked, holder_words(error));
  }
  const auto* const row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) { return fits(candidate, error); });
  std::string message = with_host_text(row->words, error);
  if (error.reason == "unsupported" && !error.cmdlet.empty()) {
    message = fmt::format("{}: {}", row->words, host_text(error.cmdlet));
  } else if (error.reason == "timeout" && !error.found.empty()) {
    message = fmt::format("{}, it is {}", row->words, host_text(error.found));
  }
  return host_trouble(host, row->code, std::move(message), std::string(row->hint));
}

Diagnostic explain_start_refusal(const HostTarget& host, const AgentError& error) {
  if (error.reason != "cmdlet" || !has_hresult(error, kNoSystemResources)) {
    return explain_refusal(host, error);
  }
  return host_trouble(
      host, Code::kNoPartition,
      with_host_text("the host has no partition for the virtual machine, or not the resources for it", error),
      "look at 'gpup observe' for what is free; a machine that was started elsewhere may have taken the place");
}

Diagnostic explain_unreadable(const HostTarget& host, const AgentError& error) {
  Diagnostic diagnostic = explain_refusal(host, error);
  if (diagnostic.code == Code::kStepFailed) {
    diagnostic.code = Code::kHostUnreadable;
  }
  return diagnostic;
}

Diagnostic explain_not_started(const HostTarget& host, const AgentLaunch& launch, const Subprocess::NotStarted& why) {
  const std::string& program = launch.argv.front();
  const bool missing = why.trouble == Subprocess::Trouble::kNotFound;
  const auto hint = [&launch]() -> std::string {
    switch (launch.way) {
      case AgentLaunch::Way::kHere:
        return "install PowerShell, put it in the PATH, or name it by 'powershell' under 'connect'";
      case AgentLaunch::Way::kSsh:
        return "install OpenSSH's client, or put it in the PATH";
      case AgentLaunch::Way::kSession:
        break;
    }
    return "install PowerShell on this machine, or put it in the PATH: it opens the PSSession";
  };
  return host_trouble(host, Code::kProgramMissing,
                      missing ? fmt::format("the program '{}' is not found", program)
                              : fmt::format("the program '{}' cannot be started: {}", program, why.message),
                      hint());
}

Diagnostic explain_ended(const HostTarget& host, const AgentLaunch& launch, const Ending& ending, bool greeted,
                         std::string_view err, std::string_view noise) {
  constexpr int kOfSsh = 255;
  const std::string said = and_said(err, noise);
  if (launch.way == AgentLaunch::Way::kSsh && ending.code == kOfSsh) {
    std::optional<Diagnostic> known = explain_ssh(host, err);
    return known ? *std::move(known)
                 : host_trouble(host, greeted ? Code::kSessionEnded : Code::kNoConnection, "ssh failed" + said);
  }
  if (launch.way == AgentLaunch::Way::kSession && !greeted && !host.connect.host_name.empty()) {
    // PowerShell may break down over an ssh that ended before it was spoken to (seen).
    if (std::optional<Diagnostic> known = explain_ssh(host, fmt::format("{}\n{}", noise, err))) {
      return *std::move(known);
    }
  }
  if (!greeted && launch.way == AgentLaunch::Way::kSsh &&
      says_no_such_program(launch, ending, std::string(err) + std::string(noise))) {
    return host_trouble(host, Code::kNoPowerShell,
                        fmt::format("the host has no program '{}'{}", launch.powershell, said),
                        "name PowerShell as the host knows it by 'powershell' under 'connect': powershell or pwsh");
  }
  const std::string_view what = launch.way == AgentLaunch::Way::kSsh ? "the host's PowerShell" : "PowerShell";
  return host_trouble(
      host, Code::kSessionEnded,
      fmt::format("{} {}{}{}", what, ended_how(ending), greeted ? "" : " before gpup's script answered", said));
}

Diagnostic explain_no_session(const HostTarget& host, const AgentError& error, std::string_view err,
                              std::string_view noise) {
  if (host.connect.host_name.empty() || last_part(error.error_id) != "PSSessionOpenFailed") {
    return explain_unreadable(host, error);
  }
  if (std::optional<Diagnostic> known = explain_ssh(host, fmt::format("{}\n{}\n{}", noise, err, error.message))) {
    return *std::move(known);
  }
  if (host_text(err).empty() && host_text(noise).empty()) {
    // sshd passes on no word of a subsystem that is no program; whatever else ails a connection, ssh says so.
    return host_trouble(host, Code::kNoPowerShell,
                        with_host_text("SSH lets the user in, and no PowerShell answers", error),
                        std::string(kSubsystemHint));
  }
  return explain_unreadable(host, error);
}

}  // namespace gpup
