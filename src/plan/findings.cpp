#include "plan/findings.h"

#include <fmt/format.h>

#include "plan/goal.h"

namespace gpup {

void Findings::add(Severity severity, Code code, Place place, About about, std::string message, std::string hint) {
  Diagnostic diagnostic = sources_.at(place, code, severity, std::move(message), std::move(hint));
  diagnostic.host = about.host;
  diagnostic.object = about.object;
  diagnostic.name = about.name;
  list.push_back(std::move(diagnostic));
}

std::string some_names(const std::vector<std::string_view>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    const bool last = i + 1 == names.size();
    out += fmt::format("{}'{}'", i == 0 ? "" : last ? " and " : ", ", names[i]);
  }
  if (names.size() > most) {
    out += fmt::format(" and {} more", names.size() - most);
  }
  return out;
}

}  // namespace gpup
