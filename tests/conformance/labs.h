#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/fact.h"

namespace gpup::conformance {

/// The hosts of a lab, in its order.
std::vector<std::string> hosts_of(Lab lab);
std::string file_of(Lab lab);

/// A lab as a fact begins with it; no two have a VM's id in common.
nlohmann::json lab_of(const Fact& fact);

/// Sets one value: `POINTER VALUE`, the value as JSON.
void change(nlohmann::json& lab, std::string_view line);

}  // namespace gpup::conformance
