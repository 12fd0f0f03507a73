#include "render/observe_table.h"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "files.h"
#include "observed/read_snapshot.h"
#include "paths.h"

namespace gpup {

TEST_CASE("the inventory is shown as a table, and wide") {
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(kSourceFolder) + "/tests/golden/observe")) {
    CAPTURE(entry.path().filename().string());
    const Result<ObservedState> observed = read_snapshot(read_text(entry.path() / "observed.json"), "observed.json");
    if (!observed) {
      FAIL(render_diagnostics(observed.error().diagnostics));
    }
    std::string table;
    render_observe(*observed, ObserveForm::kTable, table);
    check_golden(entry.path() / "table.txt", table);
    std::string wide;
    render_observe(*observed, ObserveForm::kWide, wide);
    check_golden(entry.path() / "wide.txt", wide);
    ++cases;
  }
  CHECK_GE(cases, 4);
}

}  // namespace gpup
