#pragma once

#include <string>
#include <vector>

namespace gpup {

/// A file of a bundle.
struct BundleFile {
  std::string name;  ///< in the archive
  std::string what;  ///< in words of ours
  std::string text;
};

/// Something that a bundle lacks.
struct BundleGap {
  std::string what;
  std::string why;
};

/// What a bundle says of itself.
struct BundleHead {
  std::string version;  ///< of gpup
  std::string system;   ///< of the machine: `Debian GNU/Linux 12 (bookworm), Linux 6.1.0`; empty where not known
  std::string made;     ///< when
  bool pseudonyms = false;
};

/// The file `bundle.json` of it (`schemas/bundle.v1.schema.json`).
std::string render_bundle_json(const BundleHead& head, const std::vector<BundleFile>& files,
                               const std::vector<BundleGap>& gaps);

}  // namespace gpup
