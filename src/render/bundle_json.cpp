#include "render/bundle_json.h"

#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "base/sha256.h"

namespace gpup {

std::string render_bundle_json(const BundleHead& head, const std::vector<BundleFile>& files,
                               const std::vector<BundleGap>& gaps) {
  std::string out = "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Bundle\"";
  append_json_member(out, ",\n \"gpup\": ", head.version);
  append_json_member(out, ", \"system\": ", head.system);
  append_json_member(out, ", \"madeAt\": ", head.made);
  out += ", \"pseudonyms\": ";
  append_json_bool(out, head.pseudonyms);
  out += ",\n \"files\": [";
  std::string_view separator = "\n  ";
  for (const BundleFile& file : files) {
    out += std::exchange(separator, ",\n  ");
    append_json_member(out, "{\"name\": ", file.name);
    append_json_member(out, ", \"what\": ", file.what);
    out += ", \"bytes\": ";
    append_json_number(out, file.text.size());
    append_json_member(out, ", \"sha256\": ", sha256_hex(file.text));
    out += '}';
  }
  out += "],\n \"leftOut\": [";
  separator = "\n  ";
  for (const BundleGap& gap : gaps) {
    out += std::exchange(separator, ",\n  ");
    append_json_member(out, "{\"what\": ", gap.what);
    append_json_member(out, ", \"why\": ", gap.why);
    out += '}';
  }
  out += "]}\n";
  return out;
}

}  // namespace gpup
