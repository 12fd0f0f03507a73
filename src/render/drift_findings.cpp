#include "render/drift_findings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "plan/scope.h"

namespace gpup {

namespace {

void append_address(std::string& out, const Drift& drift, const Drifted& drifted) {
  const Plan& plan = drift.plan;
  const Difference& difference = plan.differences[drifted.difference];
  out += plan.hosts[drifted.host].name;
  switch (difference.subject) {
    case Subject::kHost:
      break;
    case Subject::kGpu:
      out.append("/gpu/").append(plan.gpus[difference.index].name);
      break;
    case Subject::kVm:
      out.append("/vm/").append(plan.vms[difference.index].id);
      break;
  }
  out.append("#").append(to_string(difference.property));
}

void set_place(DriftFinding& finding, const Plan& plan, const Place& place) {
  const bool known = place.known() && place.file < plan.files.size();
  finding.file = known ? std::string_view(plan.files[place.file].path) : std::string_view();
  finding.line = known ? place.line : 0;
  finding.column = known ? place.column : 0;
}

void tell_not_checked(const Drift& drift, const std::function<void(const DriftFinding&)>& tell) {
  const std::string rule = to_string(Code::kHostUnreadable);
  for (const NotChecked& host : drift.plan.not_checked) {
    DriftFinding finding;
    finding.kind = FindingKind::kNotChecked;
    finding.rule = rule;
    const auto line = std::find_if(drift.desired.hosts.begin(), drift.desired.hosts.end(),
                                   [&](const DesiredHost& other) { return same_name(other.target.name, host.host); });
    if (line != drift.desired.hosts.end()) {
      set_place(finding, drift.plan, line->place);
    }
    const std::string message = not_checked_words(host);
    finding.message = message;
    finding.address = host.host;
    tell(finding);
  }
}

}  // namespace

std::string not_checked_words(const NotChecked& host) {
  return fmt::format("host {} was not checked: {}", host.host, host.error);
}

void append_cause(std::string& out, const Drift& drift, const Drifted& drifted) {
  switch (drifted.cause) {
    case Cause::kUnknown:
      return;
    case Cause::kOutside:
      out.append("changed outside since run ").append(drift.runs[drifted.run]);
      return;
    case Cause::kFileNewer:
      out.append("the file is newer than run ").append(drift.runs[drifted.run]);
      return;
    case Cause::kUnlisted:
      out += "not in the file";
      return;
  }
}

void append_ignore(std::string& out, const DesiredIgnore& line) {
  out += "accepted";
  if (!line.until.empty()) {
    out.append(" until ").append(line.until);
  }
  out.append(": ").append(line.reason);
}

void append_sentence(std::string& out, const Drift& drift, const DifferenceWords& words, const Drifted& drifted) {
  const Difference& difference = drift.plan.differences[drifted.difference];
  out.append(drift.plan.hosts[drifted.host].name).append(": ");
  words.append_subject(out, difference);
  out += " is ";
  words.append_value(out, difference, false);
  out += ", wanted ";
  words.append_value(out, difference, true);
  if (drifted.cause != Cause::kUnknown) {
    out += "; ";
    append_cause(out, drift, drifted);
  }
  if (drifted.ignored()) {
    out += "; ";
    append_ignore(out, drift.desired.policy.ignores[drifted.ignore]);
  }
}

void tell_findings(const Drift& drift, const std::function<void(const DriftFinding&)>& tell) {
  const DifferenceWords words(drift.plan);
  std::string message;
  std::string address;
  for (const Drifted& drifted : drift.found) {
    message.clear();
    address.clear();
    append_sentence(message, drift, words, drifted);
    append_address(address, drift, drifted);
    DriftFinding finding;
    finding.kind = drifted.ignored() ? FindingKind::kIgnored : FindingKind::kDrift;
    finding.rule = to_string(drift.plan.differences[drifted.difference].property);
    set_place(finding, drift.plan, drifted.place);
    finding.message = message;
    finding.address = address;
    finding.ignore = drifted.ignored() ? &drift.desired.policy.ignores[drifted.ignore] : nullptr;
    tell(finding);
  }
  tell_not_checked(drift, tell);
  tell_diagnostics(drift, tell);
}

void tell_diagnostics(const Drift& drift, const std::function<void(const DriftFinding&)>& tell) {
  for (const Diagnostic& diagnostic : drift.diagnostics) {
    DriftFinding finding;
    finding.kind = diagnostic.severity == Severity::kError ? FindingKind::kError : FindingKind::kWarning;
    const std::string rule = to_string(diagnostic.code);
    finding.rule = rule;
    finding.file = diagnostic.file;
    finding.line = diagnostic.line;
    finding.column = diagnostic.column;
    const std::string message =
        diagnostic.hint.empty() ? diagnostic.message : diagnostic.message + " (" + diagnostic.hint + ")";
    finding.message = message;
    const std::string address =
        fmt::format("{}/{}/{}#{}", diagnostic.host, diagnostic.object, diagnostic.name, diagnostic.message);
    finding.address = address;
    tell(finding);
  }
}

std::array<std::size_t, 5> count_findings(const Drift& drift) {
  std::array<std::size_t, 5> counts{};
  counts.at(static_cast<std::size_t>(FindingKind::kDrift)) = drift.counted();
  counts.at(static_cast<std::size_t>(FindingKind::kIgnored)) = drift.ignored;
  counts.at(static_cast<std::size_t>(FindingKind::kNotChecked)) = drift.plan.not_checked.size();
  for (const Diagnostic& diagnostic : drift.diagnostics) {
    ++counts.at(static_cast<std::size_t>(diagnostic.severity == Severity::kError ? FindingKind::kError
                                                                                 : FindingKind::kWarning));
  }
  return counts;
}

std::string causes_words(const Drift& drift) {
  std::array<std::size_t, kCauses> counts{};
  for (const Drifted& drifted : drift.found) {
    counts.at(static_cast<std::size_t>(drifted.cause)) += drifted.ignored() ? 0 : 1;
  }
  std::string out;
  const auto part = [&](Cause cause, std::string_view words) {
    if (const std::size_t count = counts.at(static_cast<std::size_t>(cause)); count > 0) {
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, words);
    }
  };
  part(Cause::kOutside, "changed outside");
  part(Cause::kFileNewer, "where the file is newer");
  part(Cause::kUnlisted, "not in the file");
  return out;
}

std::string drift_verdict(const Drift& drift) {
  const Plan& plan = drift.plan;
  std::string rest;
  if (drift.ignored > 0) {
    rest += fmt::format(", {} ignored", drift.ignored);
  }
  if (!plan.not_checked.empty()) {
    rest += fmt::format("; {} not checked", counted(plan.not_checked.size(), "host"));
  }
  if (drift.counted() == 0) {
    return rest.empty() && covers_all(plan)
               ? "No drift."
               : fmt::format("No drift found{}{}.", covers_all(plan) ? "" : " in what is covered", rest);
  }
  const std::string causes = causes_words(drift);
  return fmt::format("Drift: {}{}{}.", counted(drift.counted(), "difference"),
                     causes.empty() ? "" : " (" + causes + ")", rest);
}

}  // namespace gpup
