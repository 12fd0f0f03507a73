#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "render/difference_words.h"
#include "render/drift.h"
#include "render/drift_findings.h"

namespace gpup {

namespace {

struct Paint {
  std::string_view bold, is, wanted, faint, off;
};

Paint paint_for(bool color) { return color ? Paint{"\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"} : Paint{}; }

/// `hci-east.yaml:15`; where no value of the file wants it, the nearest line, and that a default does.
std::string place_of(const Drift& drift, const Drifted& drifted) {
  const bool by_default = !drift.plan.differences[drifted.difference].source.known();
  return place_words(drift.plan, drifted.place) + (by_default ? " (default)" : "");
}

}  // namespace

void render_drift_text(const Drift& drift, bool color, Sink& out) {
  const Paint paint = paint_for(color);
  const DifferenceWords words(drift.plan);
  std::uint32_t host = kNone;
  std::string text;
  for (const Drifted& drifted : drift.found) {
    const Difference& difference = drift.plan.differences[drifted.difference];
    if (drifted.host != host) {
      host = drifted.host;
      text += fmt::format("{}{}{}\n", paint.bold, escape_terminal(drift.plan.hosts[host].name), paint.off);
    }
    text += fmt::format("  {}\n    is      {}{}{}\n    wanted  {}{}{}  {}{}{}\n",
                        escape_terminal(words.subject(difference)), paint.is,
                        escape_terminal(words.value(difference, false)), paint.off, paint.wanted,
                        escape_terminal(words.value(difference, true)), paint.off, paint.faint,
                        escape_terminal(place_of(drift, drifted)), paint.off);
    std::string more;
    append_cause(more, drift, drifted);
    if (!more.empty()) {
      text += fmt::format("    cause   {}\n", escape_terminal(more));
    }
    if (drifted.ignored()) {
      more.clear();
      append_ignore(more, drift.desired.policy.ignores[drifted.ignore]);
      text += fmt::format("    ignored {}\n", escape_terminal(more));
    }
    out.write(text);
    text.clear();
  }
  for (const NotChecked& not_checked : drift.plan.not_checked) {
    out.write(fmt::format("{}{}{}\n  not checked: {}\n", paint.bold, escape_terminal(not_checked.host), paint.off,
                          escape_terminal(not_checked.error)));
  }
  if (!drift.diagnostics.empty()) {
    out.write("\n" + render_diagnostics(drift.diagnostics, color));
  }
  const bool alone = drift.found.empty() && drift.plan.not_checked.empty() && drift.diagnostics.empty();
  out.write((alone ? "" : "\n") + drift_verdict(drift) + "\n");
}

}  // namespace gpup
