#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/place.h"
#include "base/text_pool.h"
#include "desired/desired_state.h"
#include "desired/mistakes.h"

namespace gpup {

/// Numbers the host names of the files by first sight; spellings that differ by case only are one.
class HostNames {
 public:
  std::uint32_t number(std::string_view name);
  const std::string& name(std::uint32_t number) const { return names_[number]; }
  std::size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, std::uint32_t> by_folded_;
  std::vector<std::string> names_;
  std::string last_;
  std::uint32_t last_number_ = 0;
};

/// What the files said so far. In it `DesiredGpu::hosts` and `DesiredAssignment::host` are numbers of
/// `HostNames`, since a host may be listed after it was named; `join` turns them into indexes.
struct Draft {
  DesiredState state;
  std::shared_ptr<TextPool> texts = std::make_shared<TextPool>();
  HostNames host_names;
  std::vector<std::uint32_t> host_numbers;         ///< of the names of `state.hosts`
  std::vector<std::vector<Place>> gpu_hosts_at;    ///< of the entries of `hosts`, for each of `state.gpus`
  std::unordered_set<std::string_view> gpu_names;  ///< each model that assignments name, once
  Place first_document;
  Place name_at;             ///< of `metadata.name`
  Place policy_at;           ///< of the key
  bool hosts_given = false;  ///< some document has the key
  bool hosts_whole = true;   ///< no host line lacks its name
  bool files_whole = true;   ///< every file was read to its end
  bool header_known = true;  ///< no document has a wrong or unread `metadata`
};

/// Checks what the files say together (hosts that are named but not listed, lines said twice, what is
/// missing) and hands over the desired state.
DesiredState join(Draft draft, Mistakes& mistakes);

}  // namespace gpup
