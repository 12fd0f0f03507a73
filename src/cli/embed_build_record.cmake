# Writes OUT, a .cpp that says how this gpup was built. LIBRARIES is NAME=VERSION|NAME=VERSION...; COMMIT is the commit,
# or empty: then the folder SOURCE is asked, and where it does not know the commit is not known.
# cmake -DSOURCE=. -DCOMMIT= -DVERSION=0.1.0 -DCOMPILER=... -DSYSTEM=... -DLIBRARIES=... -DOUT=build_record.cpp -P ...
if(COMMIT STREQUAL "")
  execute_process(COMMAND git -C "${SOURCE}" rev-parse HEAD OUTPUT_VARIABLE COMMIT RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed)
    set(COMMIT "")
  endif()
endif()
string(REPLACE "|" ";" LIBRARIES "${LIBRARIES}")
set(rows "")
set(count 0)
foreach(library IN LISTS LIBRARIES)
  string(REGEX MATCH "^([^=]*)=(.*)$" found "${library}")
  string(APPEND rows "    Library{\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_2}\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE "${OUT}" "// Written by src/cli/embed_build_record.cmake.
#include \"cli/build_record.h\"

#include <array>

namespace gpup {

namespace {

constexpr std::array<Library, ${count}> kLibraries = {
${rows}};

constexpr BuildRecord kRecord = {\"${VERSION}\", \"${COMMIT}\", \"${COMPILER}\", \"${SYSTEM}\", kLibraries};

}  // namespace

const BuildRecord& build_record() { return kRecord; }

}  // namespace gpup
")
