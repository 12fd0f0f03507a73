# Writes OUT, a .cpp that holds page.css and page.js of the folder PAGE as char arrays.
# cmake -DPAGE=src/render/page -DOUT=page_files.cpp -P src/render/embed_page.cmake
foreach(part css js)
  file(READ "${PAGE}/page.${part}" text)
  # Neither may end the element that it stands in.
  if(text MATCHES "</|<!--")
    message(FATAL_ERROR "${PAGE}/page.${part} holds '</' or '<!--'")
  endif()
  file(READ "${PAGE}/page.${part}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR ${part}_bytes "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," ${part} "${hex}")
endforeach()
file(WRITE "${OUT}" "// Written by src/render/embed_page.cmake.
#include \"render/page_files.h\"

namespace gpup {

namespace {

constexpr char kStyle[] = {${css}'\\0'};
constexpr char kScript[] = {${js}'\\0'};

}  // namespace

std::string_view page_style() { return {static_cast<const char*>(kStyle), ${css_bytes}}; }

std::string_view page_script() { return {static_cast<const char*>(kScript), ${js_bytes}}; }

}  // namespace gpup
")
