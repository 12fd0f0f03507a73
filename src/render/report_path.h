#pragma once

#include <string>
#include <string_view>

namespace gpup {

/// The path of a file as pipelines know it: from the working folder, without `./` in front.
std::string_view report_path(std::string_view path);

/// The same as a reference of RFC 3986: what is not plain is percent-encoded; `file://` in front of an absolute path.
std::string path_uri(std::string_view path);

}  // namespace gpup
