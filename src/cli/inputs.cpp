#include "cli/inputs.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/side_by_side.h"
#include "base/text.h"
#include "cli/connect_uri.h"
#include "cli/log.h"
#include "desired/read_desired.h"
#include "observed/merge.h"
#include "observed/read_snapshot.h"

namespace gpup {

namespace {

constexpr std::uint64_t kLargestFile = 16ULL * 1024 * 1024;

/// Trouble with one file as a diagnostic. Wrong content without a diagnostic is a file over its bound, told at its
/// first character: nothing of it was read.
void add_trouble(Error& all, const Error& error, const std::string& path, Code too_large) {
  const bool content = error.code == ErrorCode::kBadContent;
  if (error.diagnostics.empty()) {
    Diagnostic trouble = placeless(content ? too_large : Code::kCannotRead, error.message);
    if (content && !path.empty()) {
      trouble.file = path;
      trouble.line = 1;
      trouble.column = 1;
    }
    all.diagnostics.push_back(std::move(trouble));
  } else {
    all.diagnostics.insert(all.diagnostics.end(), error.diagnostics.begin(), error.diagnostics.end());
  }
  if (!content) {
    all.code = ErrorCode::kCannotRead;
  }
}

Error no_trouble() { return Error{ErrorCode::kBadContent, {}, {}}; }

bool is_yaml_name(std::string_view name) {
  return (name.ends_with(".yaml") || name.ends_with(".yml")) && !name.starts_with('.');
}

/// The paths that one -f names.
Result<std::vector<std::string>> paths_of(World& world, const std::string& given) {
  if (given == "-" || !world.is_folder(given)) {
    return std::vector<std::string>{given};
  }
  auto names = world.list_folder(given);
  if (!names) {
    return tl::unexpected<Error>(names.error());
  }
  std::sort(names->begin(), names->end());
  std::vector<std::string> paths;
  for (const std::string& name : *names) {
    if (is_yaml_name(name)) {
      paths.push_back(given.ends_with('/') ? given + name : given + "/" + name);
    }
  }
  if (paths.empty()) {
    return fail({placeless(Code::kNoDocument, fmt::format("folder '{}' holds no *.yaml or *.yml file", given))});
  }
  return paths;
}

void read_into(World& world, const std::string& path, Sources& sources, Error& trouble) {
  auto text = path == "-" ? world.read_stdin(kLargestFile) : world.read_file(path, kLargestFile);
  if (!text) {
    add_trouble(trouble, text.error(), path, Code::kTooLarge);
    return;
  }
  log_debug("read {}, {} bytes", path, text->size());
  const std::uint32_t index = sources.add(path, std::move(*text));
  sources.file(index).sha256 = sha256_hex(sources.file(index).text);
}

/// Everything that -f names.
void read_given(const Call& call, Sources& sources, Error& trouble) {
  for (const std::string& given : call.line.values("file")) {
    auto paths = paths_of(call.world, given);
    if (!paths) {
      add_trouble(trouble, paths.error(), given, Code::kTooLarge);
      continue;
    }
    for (const std::string& path : *paths) {
      read_into(call.world, path, sources, trouble);
    }
  }
}

Result<ObservedState> read_saved(World& world, const std::string& path) {
  auto text = path == "-" ? world.read_stdin(kLargestSnapshot) : world.read_file(path, kLargestSnapshot);
  if (!text) {
    Error error = no_trouble();
    add_trouble(error, text.error(), path, Code::kJsonTooLarge);
    return tl::unexpected<Error>(std::move(error));
  }
  log_debug("read {}, {} bytes", path, text->size());
  auto snapshot = read_snapshot(std::move(*text), path);
  if (!snapshot) {
    return snapshot;
  }
  std::vector<ObservedState> whole;
  whole.push_back(std::move(*snapshot));
  return merge(std::move(whole));
}

/// The trouble with a host that could not be read, as a warning about it.
Diagnostic not_read_warning(const std::string& host, const Error& error) {
  Diagnostic warning =
      error.diagnostics.empty() ? placeless(Code::kHostUnreadable, error.message) : error.diagnostics.front();
  warning.severity = Severity::kWarning;
  warning.host = host;
  if (warning.object.empty()) {
    warning.object = "host";
  }
  return warning;
}

}  // namespace

std::vector<HostTarget> Files::targets() const {
  std::vector<HostTarget> targets;
  targets.reserve(desired.hosts.size());
  for (const DesiredHost& host : desired.hosts) {
    targets.push_back(host.target);
  }
  return targets;
}

Result<Sources> read_sources(const Call& call) {
  Sources sources;
  Error trouble = no_trouble();
  read_given(call, sources, trouble);
  if (!trouble.diagnostics.empty()) {
    return tl::unexpected<Error>(std::move(trouble));
  }
  return sources;
}

Result<Files> read_files(const Call& call) {
  Files files;
  Error trouble = no_trouble();
  read_given(call, files.sources, trouble);
  if (trouble.code == ErrorCode::kCannotRead) {
    return tl::unexpected<Error>(std::move(trouble));
  }
  if (!files.sources.files().empty()) {
    ReadDesired read = read_desired(files.sources);
    files.desired = std::move(read.state);
    files.warnings = std::move(read.diagnostics);
  }
  if (!trouble.diagnostics.empty() || has_error(files.warnings)) {
    trouble.diagnostics.insert(trouble.diagnostics.end(), files.warnings.begin(), files.warnings.end());
    return tl::unexpected<Error>(std::move(trouble));
  }
  return files;
}

Result<ObservedState> read_observed(const Call& call, const std::vector<HostTarget>& targets, Diagnostics& trouble) {
  if (const auto saved = call.line.value("observed")) {
    return read_saved(call.world, std::string(*saved));
  }
  std::vector<Result<ObservedState>> answers(targets.size());
  HostReader& reader = call.world.reader();
  side_by_side(targets.size(), kMostReadAtOnce, [&](std::size_t i) { answers[i] = reader.observe(targets[i]).get(); });
  std::vector<ObservedState> states;
  Error wrong = no_trouble();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const HostTarget& target = targets[i];
    Result<ObservedState>& state = answers[i];
    if (state) {
      log_debug("observed {}", target.name);
      states.push_back(std::move(*state));
    } else if (state.error().code == ErrorCode::kBadContent) {
      add_trouble(wrong, state.error(), {}, Code::kJsonTooLarge);
    } else {
      log_info("{} could not be read: {}", target.name, state.error().message);
      trouble.push_back(not_read_warning(target.name, state.error()));
      states.push_back(not_read(target.name, state.error().message));
    }
  }
  if (!wrong.diagnostics.empty()) {
    return tl::unexpected<Error>(std::move(wrong));
  }
  return merge(std::move(states));
}

Result<std::vector<HostTarget>> connect_targets(const Call& call) {
  std::vector<HostTarget> targets;
  for (const std::string& given : call.line.values("connect")) {
    auto uri = parse_connect(given);
    if (!uri) {
      return tl::unexpected<Error>(uri.error());
    }
    if (!uri->target.name.empty()) {
      targets.push_back(std::move(uri->target));
      continue;
    }
    auto lab = read_saved(call.world, uri->target.connect.file);
    if (!lab) {
      return tl::unexpected<Error>(lab.error());
    }
    for (const Host& host : lab->hosts) {
      targets.push_back(HostTarget{std::string(host.name), uri->target.connect});
    }
  }
  return targets;
}

bool some_not_read(const ObservedState& observed) {
  return std::any_of(observed.hosts.begin(), observed.hosts.end(), [](const Host& host) { return !host.reachable; });
}

}  // namespace gpup
