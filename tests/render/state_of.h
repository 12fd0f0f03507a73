#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "observed/read_snapshot.h"

namespace gpup {

/// What a snapshot says; it must be right.
inline ObservedState state_of(std::string_view snapshot) {
  Result<ObservedState> read = read_snapshot(std::string(snapshot), "s.json");
  if (!read) {
    FAIL(render_diagnostics(read.error().diagnostics));
  }
  return *std::move(read);
}

}  // namespace gpup
