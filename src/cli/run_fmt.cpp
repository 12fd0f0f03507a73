#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/line_diff.h"
#include "base/text.h"
#include "cli/command_runs.h"
#include "cli/exit_codes.h"
#include "cli/inputs.h"
#include "desired/layout.h"

namespace gpup {

namespace {

/// A file whose layout is another one than it should be.
struct Laid {
  const Sources::File* file = nullptr;
  std::string text;
};

/// Those of the files that are to be written anew. Everything that is wrong with any of them is told at once.
Result<std::vector<Laid>> lay_out_all(const Sources& sources) {
  std::vector<Laid> changed;
  Diagnostics mistakes;
  for (const Sources::File& file : sources.files()) {
    auto text = lay_out(file.path, file.text);
    if (!text) {
      const Diagnostics& more = text.error().diagnostics;
      mistakes.insert(mistakes.end(), more.begin(), more.end());
    } else if (*text != file.text || file.path == "-") {
      changed.push_back({&file, std::move(*text)});
    }
  }
  if (!mistakes.empty()) {
    return fail(std::move(mistakes));
  }
  return changed;
}

}  // namespace

int run_fmt(const Call& call) {
  const auto sources = read_sources(call);
  if (!sources) {
    return cannot_work(call, sources.error());
  }
  const auto all = lay_out_all(*sources);
  if (!all) {
    return cannot_work(call, all.error());
  }
  const bool check = call.line.has("check");
  const bool diff = call.line.has("diff");
  int code = kExitDone;
  for (const Laid& laid : *all) {
    const Sources::File& file = *laid.file;
    const bool differs = laid.text != file.text;
    const bool answers = file.path == "-" && !check && !diff;  // a text from stdin goes to stdout
    if (differs && check) {
      code = kExitDiffers;
    } else if (differs && file.path != "-") {
      const auto written = write_file(call, file.path, [&](OutputFile& out) { out.write(laid.text); });
      if (!written) {
        return give_up(call, written.error(), Code::kCannotWrite);
      }
    }
    if (answers) {
      call.world.out().write(laid.text);
    } else if (differs) {
      call.world.out().write(diff ? line_diff(file.path, file.text, laid.text) : escape_terminal(file.path) + "\n");
    }
  }
  return code;
}

}  // namespace gpup
