#pragma once

#include <string>

#include "base/result.h"
#include "model/connect.h"

namespace gpup {

inline const HostTarget kHv1{"hv-1", {}};

inline Code code_of(const Error& error) { return error.diagnostics.empty() ? Code{} : error.diagnostics.front().code; }

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace gpup
