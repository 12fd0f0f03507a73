#pragma once

#include <string_view>

namespace gpup {

// What stands in every HTML answer, as it was when the program was built: page/page.css and page/page.js.

std::string_view page_style();
std::string_view page_script();

}  // namespace gpup
