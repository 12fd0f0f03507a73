#include "paths.h"

namespace gpup {

// Here alone: a compiler's cache serves all other files wherever the project lies.
const char* const kSourceFolder = GPUP_SOURCE_DIR;
const char* const kProgram = GPUP_BINARY;

}  // namespace gpup
