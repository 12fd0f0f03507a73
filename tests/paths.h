#pragma once

namespace gpup {

extern const char* const kSourceFolder;  ///< the project's
extern const char* const kProgram;       ///< the gpup that was built

}  // namespace gpup
