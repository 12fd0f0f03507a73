#include "plan/past_runs.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace gpup {

namespace {

std::string key(std::string_view host, std::string_view object, Property property) {
  std::string text = fold_case(host);
  text += '\n';
  text += fold_case(object);
  text += '\n';
  text += to_string(property);
  return text;
}

}  // namespace

void PastRuns::left(std::string_view host, std::string_view object, Property property, Left left) {
  left_.emplace(key(host, object, property), std::move(left));
}

void PastRuns::was_compared(std::string_view host, std::uint32_t run) { hosts_.emplace(fold_case(host), run); }

const PastRuns::Left* PastRuns::find(std::string_view host, std::string_view object, Property property) const {
  const auto found = left_.find(key(host, object, property));
  return found == left_.end() ? nullptr : &found->second;
}

std::uint32_t PastRuns::last_on(std::string_view host) const {
  const auto found = hosts_.find(fold_case(host));
  return found == hosts_.end() ? kNone : found->second;
}

std::vector<std::string> file_digests(const Plan& plan) {
  std::vector<std::string> digests;
  digests.reserve(plan.files.size());
  for (const PlanFile& file : plan.files) {
    digests.push_back(file.sha256);
  }
  std::sort(digests.begin(), digests.end());
  return digests;
}

std::vector<std::string> adapter_ids(const Plan& plan, const PlanVm& vm) {
  std::vector<std::string> ids;
  ids.reserve(vm.adapter_count);
  for (const PlanAdapter& adapter : plan.adapters_of(vm)) {
    ids.push_back(fold_case(adapter.id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace gpup
