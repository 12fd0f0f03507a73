#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "desired/read_desired.h"
#include "fuzz/require.h"

// Any bytes are read without harm, twice alike; where nothing is wrong, what was read keeps its promises.

namespace {

void check_state(const gpup::DesiredState& state) {
  require(!state.name.empty() && !state.hosts.empty());
  for (const gpup::DesiredHost& host : state.hosts) {
    require(!host.target.name.empty() && host.place.known());
  }
  for (const gpup::DesiredGpu& gpu : state.gpus) {
    require((gpu.model.empty() ? 0 : 1) + (gpu.device.empty() ? 0 : 1) + (gpu.match.empty() ? 0 : 1) == 1);
    require(!gpu.partition_count || *gpu.partition_count > 0);
    for (const std::uint32_t host : gpu.hosts) {
      require(host < state.hosts.size());
    }
  }
  for (const gpup::DesiredAssignment& line : state.assignments) {
    require(line.match.empty() != (line.vm.empty() && line.id.empty()));
    require(line.host == gpup::DesiredAssignment::kNoHost || line.host < state.hosts.size());
    require(line.place.known() && line.at(line.power_at).known());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  gpup::Sources sources;
  sources.add("fuzz.yaml", std::string(reinterpret_cast<const char*>(bytes), size));
  const gpup::ReadDesired read = gpup::read_desired(sources);
  const std::string rendered = gpup::render_diagnostics(read.diagnostics);
  require(rendered == gpup::render_diagnostics(gpup::read_desired(sources).diagnostics));
  for (const char c : rendered) {
    const auto byte = static_cast<unsigned char>(c);
    require(byte == '\n' || (byte >= 0x20 && byte != 0x7f));
  }
  if (!gpup::has_error(read.diagnostics)) {
    check_state(read.state);
  }
  return 0;
}
