#pragma once

#include "desired/draft.h"

namespace gpup {

/// Whether two texts say the same, wherever in them it stands.
bool same_wishes(const Draft& a, const Draft& b);

}  // namespace gpup
