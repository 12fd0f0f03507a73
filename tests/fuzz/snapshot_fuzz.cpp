#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/sink.h"
#include "base/text.h"
#include "fuzz/require.h"
#include "observed/read_snapshot.h"
#include "render/export.h"
#include "render/observe_table.h"
#include "render/snapshot_json.h"

// Any bytes are read without harm; a snapshot that is read is written and read again as the same; whatever a host
// says of itself can be shown and exported.

namespace {

std::string written(const gpup::ObservedState& observed) {
  gpup::StringSink sink;
  gpup::write_snapshot(observed, sink);
  return sink.text;
}

void check_indexes(const gpup::Host& host) {
  for (const gpup::Vm& vm : host.vms) {
    require(std::size_t{vm.first_adapter} + vm.adapter_count <= host.adapters.size());
    require(!vm.name.empty() && !vm.id.empty() && !vm.state_name.empty());
  }
  for (const gpup::Adapter& adapter : host.adapters) {
    require(adapter.gpu < static_cast<std::int32_t>(host.gpus.size()));
    require((adapter.gpu == gpup::Adapter::kUnresolved) == adapter.gpu_name.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const gpup::Result<gpup::ObservedState> read = gpup::read_snapshot(text, "fuzz.json");
  if (!read) {
    require(!read.error().diagnostics.empty());
    check_terminal(gpup::render_diagnostics(read.error().diagnostics));
    return 0;
  }
  for (const gpup::Host& host : read->hosts) {
    check_indexes(host);
  }
  const std::string once = written(*read);
  const gpup::Result<gpup::ObservedState> again = gpup::read_snapshot(once, "again.json");
  require(again.has_value() && written(*again) == once);
  for (const gpup::ObserveForm form : {gpup::ObserveForm::kTable, gpup::ObserveForm::kWide}) {
    std::string table;
    gpup::render_observe(*read, form, table);
    check_terminal(table);
  }
  const gpup::Result<std::string> file = gpup::export_desired(*read, {});
  if (file) {
    check_terminal(*file);
  }
  return 0;
}
