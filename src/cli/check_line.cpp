#include "cli/check_line.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"
#include "cli/connect_uri.h"
#include "cli/parallel.h"
#include "cli/receipts.h"
#include "cli/signed_files.h"
#include "desired/scalars.h"
#include "plan/scope.h"
#include "render/markdown.h"

namespace gpup {

namespace {

constexpr std::string_view kFiles = "-f FILE";

bool takes(const Command& command, std::string_view option) { return find_option(command, option) != nullptr; }

/// What a command can read from, where it must be given one.
std::string sources_of(const Command& command) {
  if (command.name == "apply") {
    return "a PLAN or -f FILE";
  }
  if (takes(command, "connect")) {
    return takes(command, "observed") ? "-f FILE, --observed FILE or --connect URI" : "-f FILE or --connect URI";
  }
  if (command.name == "why") {
    return "-f FILE or --observed FILE";
  }
  return std::string(kFiles);
}

std::optional<UsageError> check_sources(const Invocation& line) {
  const Command& command = *line.command;
  if (!takes(command, "file")) {
    return std::nullopt;
  }
  const bool files = line.has("file");
  const bool enough = files || command.name == "bundle" || line.has("connect") ||
                      (command.name == "apply" && line.argument.has_value()) ||
                      (line.has("observed") && (takes(command, "connect") || command.name == "why"));
  if (!enough) {
    return UsageError{fmt::format("'{}' needs {}", command.name, sources_of(command)), {}, &command};
  }
  if (command.name == "apply" && files && line.argument) {
    return UsageError{"'apply' takes a PLAN or -f FILE, not both", {}, &command};
  }
  for (const std::string_view other : {"file", "observed"}) {
    if (line.has("connect") && line.has(other)) {
      return UsageError{fmt::format("'{}' takes --connect or --{}, not both", command.name, other), {}, &command};
    }
  }
  return std::nullopt;
}

std::optional<UsageError> check_stdin(const Invocation& line) {
  std::size_t uses = 0;
  for (const std::string_view option : {"file", "observed"}) {
    const std::vector<std::string> values = line.values(option);
    uses += static_cast<std::size_t>(std::count(values.begin(), values.end(), "-"));
  }
  uses += line.command->completes == Completes::kFile && line.argument == "-" ? 1U : 0U;
  if (uses > 1) {
    return UsageError{"standard input, '-', can be read only once", {}, line.command};
  }
  return std::nullopt;
}

std::optional<UsageError> check_connect(const Invocation& line) {
  std::vector<std::string> names;
  for (const std::string& given : line.values("connect")) {
    const auto uri = parse_connect(given);
    if (!uri) {
      return UsageError{fmt::format("option '--connect' takes [NAME=]URI: {}", uri.error().message), {}, line.command};
    }
    std::string name = fold_case(uri->target.name);
    if (!name.empty() && std::find(names.begin(), names.end(), name) != names.end()) {
      return UsageError{fmt::format("host '{}' is named twice by --connect", uri->target.name), {}, line.command};
    }
    names.push_back(std::move(name));
  }
  return std::nullopt;
}

std::optional<UsageError> check_parallel(const Invocation& line) {
  const auto given = line.value("parallel");
  if (given && !parse_parallel(*given)) {
    return UsageError{
        fmt::format("option '--parallel' must be a whole number from 1 to {}, not '{}'", kMostParallel, *given),
        {},
        line.command};
  }
  return std::nullopt;
}

std::optional<UsageError> check_outputs(const Invocation& line) {
  if (line.command->name == "bundle" && !line.has("out")) {
    return UsageError{"'bundle' needs --out FILE", "'--out support.tar'", line.command};
  }
  std::vector<std::string> paths = line.values("out");
  for (const std::string& receipt : line.values("receipt")) {
    paths.push_back(receipt);
  }
  if (line.has("sign")) {
    const std::size_t files = paths.size();
    paths.reserve(2 * files);
    for (std::size_t i = 0; i < files; ++i) {
      paths.push_back(signature_path(paths[i]));
    }
  }
  if (const auto events = line.value("events")) {
    if (events == "-" && line.has("output")) {
      return UsageError{"option '--events -' takes stdout, and so does --output",
                        "--report FORM=FILE writes the answer elsewhere", line.command};
    }
    paths.emplace_back(*events);
  }
  if (const auto metrics = line.value("metrics")) {
    paths.emplace_back(*metrics);
  }
  for (const std::string& report : line.values("report")) {
    paths.push_back(report.substr(report.find('=') + 1));
  }
  std::sort(paths.begin(), paths.end());
  const auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end()) {
    return UsageError{fmt::format("two answers would be written to '{}'", *twice), {}, line.command};
  }
  std::vector<std::string> inputs = line.arguments;
  for (const std::string_view option : {"file", "observed", "allowed-signers", "sign"}) {
    const std::vector<std::string> given = line.values(option);
    inputs.insert(inputs.end(), given.begin(), given.end());
  }
  for (const std::string& input : inputs) {
    if (input != "-" && std::binary_search(paths.begin(), paths.end(), input)) {
      return UsageError{fmt::format("the answer would be written over '{}', which is read", input), {}, line.command};
    }
  }
  return std::nullopt;
}

std::optional<UsageError> check_durations(const Invocation& line) {
  for (const std::string_view option : {"request-timeout", "max-outage"}) {
    const auto given = line.value(option);
    const Number<std::chrono::seconds> duration = parse_duration(given.value_or("1s"));
    if (!duration.value || duration.value->count() == 0) {
      return UsageError{fmt::format("option '--{}' takes a whole number of s, m or h, not '{}'", option, *given),
                        "'30s', '2m'", line.command};
    }
  }
  return std::nullopt;
}

std::optional<UsageError> check_max_bytes(const Invocation& line) {
  const auto given = line.value("max-bytes");
  if (given && parse_whole_number(*given).value.value_or(0) < kLeastMarkdownBytes) {
    return UsageError{
        fmt::format("option '--max-bytes' must be a whole number, at least {}, not '{}'", kLeastMarkdownBytes, *given),
        {},
        line.command};
  }
  return std::nullopt;
}

std::optional<UsageError> check_scope(const Invocation& line) {
  for (const std::string_view option : {"target", "exclude"}) {
    for (const std::string& given : line.values(option)) {
      const auto address = parse_address(given);
      if (!address || address->host.find('@') != std::string::npos) {
        return UsageError{fmt::format("option '--{}' takes HOST or HOST/vm/NAME, not '{}'", option, given),
                          "'hv-e1', 'hv-e1/vm/vdi-01'", line.command};
      }
    }
    if (line.has(option) && line.argument) {
      return UsageError{fmt::format("'apply' takes a PLAN or --{}, not both: a saved plan is performed whole", option),
                        {},
                        line.command};
    }
  }
  return std::nullopt;
}

std::optional<UsageError> check_reason(const Invocation& line) {
  if (line.has("ignore-window") == line.has("reason")) {
    return std::nullopt;
  }
  return UsageError{line.has("reason") ? "option '--reason' says why --ignore-window is given, and it is not"
                                       : "option '--ignore-window' needs --reason TEXT",
                    {},
                    line.command};
}

std::optional<UsageError> check_receipts(const Invocation& line) {
  const std::vector<std::string> receipts = line.values("receipt");
  const bool for_programs =
      std::any_of(receipts.begin(), receipts.end(), [](const std::string& path) { return !is_markdown_path(path); });
  for (const std::string_view option : {"sign", "previous", "commit"}) {
    if (takes(*line.command, "receipt") && line.has(option) && !for_programs) {
      return UsageError{fmt::format("option '--{}' is for a receipt in JSON, and --receipt FILE is not given", option),
                        receipts.empty() ? std::string() : "one that ends in .md is for people: give another one, too",
                        line.command};
    }
  }
  const auto previous = line.value("previous");
  if (previous && std::find(receipts.begin(), receipts.end(), *previous) != receipts.end()) {
    return UsageError{fmt::format("the receipt '{}' would take the place of the one that it goes on from", *previous),
                      "each run's receipt is kept", line.command};
  }
  return std::nullopt;
}

std::optional<UsageError> check_signatures(const Invocation& line) {
  const Command& command = *line.command;
  if (line.has("sign") && command.name == "plan" && !line.has("out")) {
    return UsageError{"option '--sign' signs a saved plan, and --out PLAN is not given", {}, &command};
  }
  if (auto error = check_receipts(line)) {
    return error;
  }
  if (!line.has("allowed-signers")) {
    return std::nullopt;
  }
  if (command.takes_many()) {
    return std::nullopt;  // it takes files alone
  }
  if (!line.argument) {
    return UsageError{"option '--allowed-signers' is for a saved PLAN, and none is given",
                      "'gpup plan --out PLAN --sign KEY' saves and signs one", &command};
  }
  if (line.argument == "-") {
    return UsageError{"option '--allowed-signers' needs a PLAN in a file: its signature lies beside it", {}, &command};
  }
  return std::nullopt;
}

std::optional<UsageError> check_ids(const Invocation& line) {
  for (const std::string_view option : {"expect-plan", "after"}) {
    const auto given = line.value(option);
    if (given && !(given->starts_with(kSha256Prefix) && given->size() == kSha256Prefix.size() + 64 &&
                   given->find_first_not_of("0123456789abcdef", kSha256Prefix.size()) == std::string_view::npos)) {
      return UsageError{fmt::format("option '--{}' takes sha256: and 64 of 0-9 and a-f, not '{}'", option, *given),
                        option == "after" ? "'gpup verify-receipt' prints it last"
                                          : "'gpup show PLAN -o json' has the id of a saved plan",
                        line.command};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<UsageError> check_line(const Invocation& line) {
  for (const auto check : {check_sources, check_stdin, check_connect, check_parallel, check_outputs, check_durations,
                           check_max_bytes, check_scope, check_reason, check_signatures, check_ids}) {
    if (auto error = check(line)) {
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace gpup
