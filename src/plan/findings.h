#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/diagnostics.h"
#include "desired/desired_state.h"
#include "observed/observed_state.h"

namespace gpup {

/// What a diagnostic is about, beside its place in the file.
struct About {
  std::string_view host = {};
  std::string_view object = {};
  std::string_view name = {};
};

/// Collects what the passes of planning find. Every pass goes on after an error, so that all reasons are told.
class Findings {
 public:
  explicit Findings(const Sources& sources) : sources_(sources) {}

  void error(Code code, Place place, About about, std::string message, std::string hint = {}) {
    add(Severity::kError, code, place, about, std::move(message), std::move(hint));
  }
  void warn(Code code, Place place, About about, std::string message, std::string hint = {}) {
    add(Severity::kWarning, code, place, about, std::move(message), std::move(hint));
  }
  void add(Severity severity, Code code, Place place, About about, std::string message, std::string hint = {});

  /// An empty collection over the same files.
  Findings fresh() const { return Findings(sources_); }

  /// `hci-east.yaml:21`
  std::string at(Place place) const { return sources_.short_name(place); }

  Diagnostics list;

 private:
  const Sources& sources_;
};

}  // namespace gpup
