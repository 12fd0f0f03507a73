#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/sink.h"
#include "base/text.h"
#include "fuzz/require.h"
#include "observed/read_host_facts.h"
#include "plan/doctor.h"
#include "render/doctor.h"

// Any bytes are read without harm; whatever a host tells the doctor is judged, and can be shown.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  gpup::Result<gpup::HostFacts> read = gpup::read_host_facts(text, "fuzz.json");
  if (!read) {
    require(!read.error().diagnostics.empty());
    check_terminal(gpup::render_diagnostics(read.error().diagnostics));
    return 0;
  }
  gpup::Examined host;
  host.target.name = "hv-1";
  host.facts = *std::move(read);
  for (const gpup::Transport transport : {gpup::Transport::kLocal, gpup::Transport::kSimulated}) {
    host.target.connect.transport = transport;
    const gpup::Checkup checkup = gpup::check_up(nullptr, {host});
    gpup::StringSink shown;
    gpup::render_doctor_text(checkup, {true, false}, shown);
    check_terminal(shown.text);
    gpup::StringSink json;
    gpup::write_doctor_json(checkup, 0, json);
    check_terminal(json.text);
  }
  return 0;
}
