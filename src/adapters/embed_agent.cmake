# Writes OUT, a .cpp that holds agent.ps1 and bootstrap.ps1 of the folder AGENT as char arrays.
# cmake -DAGENT=src/adapters/agent -DOUT=agent_script.cpp -P src/adapters/embed_agent.cmake
foreach(part agent bootstrap)
  file(READ "${AGENT}/${part}.ps1" hex HEX)
  # A host may read a script in any code page: only ASCII is the same in all of them.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\1 " pairs "${hex}")
  if(pairs MATCHES "(^| )[89a-f][0-9a-f] ")
    message(FATAL_ERROR "${AGENT}/${part}.ps1 holds a byte that is not ASCII")
  endif()
  string(LENGTH "${hex}" digits)
  math(EXPR ${part}_bytes "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," ${part} "${hex}")
endforeach()
file(WRITE "${OUT}" "// Written by src/adapters/embed_agent.cmake.
#include \"adapters/agent_script.h\"

namespace gpup {

namespace {

constexpr char kAgent[] = {${agent}'\\0'};
constexpr char kBootstrap[] = {${bootstrap}'\\0'};

}  // namespace

std::string_view agent_script() { return {static_cast<const char*>(kAgent), ${agent_bytes}}; }

std::string_view agent_bootstrap() { return {static_cast<const char*>(kBootstrap), ${bootstrap_bytes}}; }

}  // namespace gpup
")
