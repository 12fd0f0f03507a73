#pragma once

#include <span>
#include <string_view>

namespace gpup {

/// A library that gpup is made with.
struct Library {
  std::string_view name;
  std::string_view version;  ///< empty: not known
};

/// How this gpup was built.
struct BuildRecord {
  std::string_view version;
  std::string_view commit;    ///< empty: not known
  std::string_view compiler;  ///< `GNU 12.2.0`
  std::string_view system;    ///< what it runs on: `Linux x86_64`
  std::span<const Library> libraries;
};

const BuildRecord& build_record();

}  // namespace gpup
