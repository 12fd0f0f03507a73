#pragma once

#include <cstdint>
#include <string>

#include "desired/fields.h"
#include "desired/scan_text.h"

namespace gpup {

/// Follows one file's events through the table of fields into the draft of `reading`. Says everything that is
/// wrong; where the text is not YAML the file ends.
void read_file(const ScannedText& scanned, Reading& reading);

}  // namespace gpup
