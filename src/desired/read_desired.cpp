#include "desired/read_desired.h"

#include <numeric>
#include <utility>
#include <vector>

#include "base/paths.h"
#include "desired/draft.h"
#include "desired/fields.h"
#include "desired/file_reader.h"
#include "desired/mistakes.h"
#include "desired/scan_text.h"

namespace gpup {

namespace {

std::string folder_of(const std::string& path) {
  return path == "-" ? std::string() : path_text(path_of(path).parent_path());
}

}  // namespace

ReadDesired read_desired(const Sources& sources) {
  Mistakes mistakes(sources);
  Draft draft;
  std::vector<ScannedText> scanned;
  for (std::uint32_t i = 0; i < sources.files().size(); ++i) {
    scanned.push_back(scan_text(i, sources.files()[i].text, mistakes));
  }
  // Once: growing would hold the lines twice.
  draft.state.assignments.reserve(
      std::accumulate(scanned.begin(), scanned.end(), std::size_t{0},
                      [](std::size_t sum, const ScannedText& text) { return sum + text.most_lines; }));
  for (std::uint32_t i = 0; i < scanned.size(); ++i) {
    if (!scanned[i].readable) {
      draft.files_whole = false;
      continue;
    }
    Reading reading(draft, mistakes, i, folder_of(sources.files()[i].path));
    read_file(scanned[i], reading);
  }
  ReadDesired read;
  read.state = join(std::move(draft), mistakes);
  read.diagnostics = mistakes.finish();
  return read;
}

}  // namespace gpup
