# Writes OUT, a .cpp that holds every *.json of the folder SCHEMAS as a char array.
# cmake -DSCHEMAS=schemas -DOUT=schemas.cpp -P src/cli/embed_schemas.cmake
file(GLOB files "${SCHEMAS}/*.json")
list(SORT files)
set(arrays "")
set(rows "")
set(count 0)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  string(REGEX REPLACE "\\..*" "" name "${name}")
  file(READ "${file}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
  string(APPEND arrays "constexpr char kText${count}[] = {${hex}'\\0'};\n")
  string(APPEND rows "    Schema{\"${name}\", {static_cast<const char*>(kText${count}), ${bytes}}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE "${OUT}" "// Written by src/cli/embed_schemas.cmake.
#include <array>

#include \"cli/schemas.h\"

namespace gpup {

namespace {

${arrays}
constexpr std::array<Schema, ${count}> kSchemas = {
${rows}};

}  // namespace

std::span<const Schema> schemas() { return kSchemas; }

const Schema* find_schema(std::string_view name) {
  for (const Schema& schema : kSchemas) {
    if (schema.name == name) {
      return &schema;
    }
  }
  return nullptr;
}

}  // namespace gpup
")
