#include "conformance/side.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapters/powershell_hosts.h"
#include "adapters/simulated_host.h"
#include "base/text.h"
#include "conformance/labs.h"

namespace gpup::conformance {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(by), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + by.size(), text.size()));
  }
  return parts;
}

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

template <class Number>
std::string number(const std::optional<Number>& value) {
  return value ? std::to_string(*value) : "-";
}

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

std::string_view yes_or_no(const std::optional<bool>& value) { return !value ? "-" : *value ? "yes" : "no"; }

}  // namespace

Side::Side(std::map<std::string, HostTarget> targets, const std::string& folder)
    : targets_(std::move(targets)), folder_(folder + "/" + name()), writer_(make_hosts()) {
  fs::create_directories(folder_);
}

std::string Side::name() const { return std::string(to_string(targets_.begin()->second.connect.transport)); }

bool Side::is_simulated() const { return targets_.begin()->second.connect.transport == Transport::kSimulated; }

std::unique_ptr<HostWriter> Side::make_hosts() const {
  constexpr std::chrono::seconds kBound(300);
  return is_simulated() ? make_simulated_hosts() : make_powershell_hosts(kBound, true);
}

Side::Answer Side::ask(const Fact& fact) {
  begin(fact);
  std::vector<std::string> answers;
  for (const std::string& deed : split(fact.deeds, "; ")) {
    if (std::string answer = perform(deed); !answer.empty()) {
      answers.push_back(std::move(answer));
    }
  }
  return {fmt::format("{}", fmt::join(answers, "; ")), std::exchange(said_, {})};
}

void Side::begin(const Fact& fact) {
  if (last_ && last_->lab == fact.lab && last_->change == fact.change) {
    return;
  }
  last_ = fact;
  lab_ = lab_of(fact);
  hosts_ = hosts_of(fact.lab);
  file_ = folder_ + "/" + file_of(fact.lab);
  if (is_simulated()) {
    writer_ = make_hosts();  // faults of readings are counted by it
  }
  write_lab();
}

void Side::write_lab() {
  seen_.clear();
  {
    std::ofstream lab(file_ + ".new", std::ios::binary);
    lab << lab_.dump(1) << '\n';
  }
  fs::rename(file_ + ".new", file_);
}

std::string Side::perform(std::string_view deed) {
  const std::size_t colon = deed.find(": ");
  host_ = colon == std::string_view::npos ? 0 : static_cast<std::size_t>(deed[0] - '1');
  if (colon != std::string_view::npos) {
    deed.remove_prefix(colon + 2);
  }
  if (deed.starts_with("lab ")) {
    lab_ = json::parse(std::ifstream(file_));
    change(lab_, deed.substr(4));
    write_lab();
    last_.reset();
    return {};
  }
  const std::vector<std::string> words = split(deed, " ");
  constexpr std::array kReads = {"host", "gpus", "gpu", "size", "free", "vm", "names", "policy", "owed", "settings"};
  if (std::find(kReads.begin(), kReads.end(), words[0]) != kReads.end()) {
    return read(words);
  }
  last_.reset();
  seen_.clear();
  return act(words);
}

// What is read ------------------------------------------------------------------------------------------------------

/// nullptr where it cannot be read.
const ObservedState* Side::observe() {
  if (!seen_.contains(host_)) {
    seen_.emplace(host_, writer_->observe(target()).get());
  }
  const Result<ObservedState>& seen = seen_.at(host_);
  if (!seen) {
    told(tl::unexpected(seen.error()));
    return nullptr;
  }
  return &*seen;
}

std::string Side::read(const std::vector<std::string>& words) {
  const ObservedState* const state = observe();
  if (state == nullptr) {
    return "unreadable";
  }
  const Host& seen = state->hosts.front();
  const std::string& what = words[0];
  if (what == "host") {
    return fmt::format("{} {} {}", number(seen.build), seen.edition ? to_string(*seen.edition) : "-",
                       or_dash(state->cluster));
  }
  if (what == "gpus") {
    return std::to_string(seen.gpus.size());
  }
  if (what == "names") {
    std::vector<std::string> names;
    for (const Vm& vm : seen.vms) {
      names.push_back(json(std::string(vm.name)).dump());
    }
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, " "));
  }
  if (what == "gpu" || what == "size" || what == "free") {
    const Gpu* const gpu = find_gpu(seen, gpu_name(words[1]));
    if (gpu == nullptr) {
      return "not there";
    }
    if (what == "free") {
      return number(gpu->available_vram);
    }
    if (what == "size") {
      return fmt::format("{} {} {} {}", number(gpu->partition_vram), number(gpu->partition_encode),
                         number(gpu->partition_decode), number(gpu->partition_compute));
    }
    return fmt::format("{} {} {} {} {} of {}", to_string(gpu->status), or_dash(gpu->model), or_dash(gpu->device),
                       or_dash(gpu->subsystem), number(gpu->partition_count),
                       or_dash(fmt::format("{}", fmt::join(gpu->valid_partition_counts, " "))));
  }
  const Vm* const vm = find_vm(seen, id_of(words[1]));
  if (vm == nullptr) {
    return "not there";
  }
  if (what == "policy") {
    return vm->offline_action ? std::string(to_string(*vm->offline_action)) : "none";
  }
  if (what == "owed") {
    return vm->start_owed ? "owed" : "not owed";
  }
  if (what == "settings") {
    return fmt::format("generation {}, dynamic memory {}, automatic checkpoints {}",
                       vm->generation ? std::to_string(int{*vm->generation}) : "-", yes_or_no(vm->dynamic_memory),
                       yes_or_no(vm->automatic_checkpoints));
  }
  return tell(seen, *vm);
}

/// `Running 0/3/939524096`: its state, and of each adapter the GPU, the partition and its size.
std::string Side::tell(const Host& seen, const Vm& vm) const {
  std::string text(vm.state_name);
  for (const Adapter& adapter : seen.adapters_of(vm)) {
    std::string place = adapter.gpu_name.empty() ? "-" : "?";
    for (std::size_t i = 0; i < host()["gpus"].size(); ++i) {
      if (same_name(host()["gpus"][i]["name"].get<std::string>(), adapter.gpu_name)) {
        place = std::to_string(i);
      }
    }
    text += fmt::format(" {}/{}/{}", place, number(adapter.partition_id), number(adapter.vram));
  }
  return text;
}

// What is done ------------------------------------------------------------------------------------------------------

std::string Side::told(const Result<Done>& done) {
  if (done) {
    return "done";
  }
  const Error& error = done.error();
  said_ += error.message + '\n' + render_diagnostics(error.diagnostics);
  switch (error.code) {
    case ErrorCode::kHeld:
      return "held";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kInterrupted:
      return "interrupted";
    case ErrorCode::kUnreachable:
      return "unreachable";
    case ErrorCode::kCannotRead:
    case ErrorCode::kBadContent:
      break;
  }
  return "wrong";
}

std::string Side::act(const std::vector<std::string>& words) {
  if (Result<Done> locked = writer_->lock(target()); !locked) {
    return told(locked);
  }
  const std::string& what = words[0];
  if (what == "lock") {
    return told(make_hosts()->lock(target()));
  }
  const bool in_capitals = has(words, "CAPITALS");
  const auto as_asked = [&](const std::string& text) { return in_capitals ? capitals(text) : text; };
  if (what == "count") {
    return told(writer_
                    ->set_partition_count(target(), as_asked(gpu_name(words[1])),
                                          static_cast<std::uint32_t>(std::stoul(words[2])))
                    .get());
  }
  const std::string id = as_asked(id_of(words[1]));
  if (what == "start") {
    return told(writer_->start_vm(target(), id).get());
  }
  if (what == "forget") {
    return told(writer_->forget_owed_start(target(), id).get());
  }
  if (what == "stop") {
    StopPolicy how;
    how.mode = has(words, "turn-off") ? StopMode::kTurnOff : StopMode::kShutdown;
    how.timeout = has(words, "soon") ? std::chrono::seconds(1) : std::chrono::seconds(60);
    return told(writer_->stop_vm(target(), id, how, has(words, "owed")).get());
  }
  if (what == "assign") {
    const bool pins = words.size() > 2 && !in_capitals;
    return told(writer_->assign_partition(target(), id, pins ? std::optional(gpu_name(words[2])) : std::nullopt).get());
  }
  if (what == "set") {
    return told(writer_->set_offline_action(target(), id, parse_offline_action(words[2]).value()).get());
  }
  // unassign VM PLACE: of what it holds now.
  std::string adapter = "99999999-9999-4999-8999-999999999999";
  if (const ObservedState* const state = observe()) {
    const Vm* const vm = find_vm(state->hosts.front(), id);
    const std::size_t place = std::stoul(words[2]);
    if (vm != nullptr && place < vm->adapter_count) {
      adapter = state->hosts.front().adapters_of(*vm)[place].id;
    }
  }
  seen_.clear();
  return told(writer_->unassign_partition(target(), id, as_asked(adapter)).get());
}

// Names -------------------------------------------------------------------------------------------------------------

/// By name, wherever it was in the beginning, or `#PLACE` on the host.
std::string Side::id_of(const std::string& name) const {
  if (name.starts_with('#')) {
    return host()["vms"].at(std::stoul(name.substr(1)))["id"].get<std::string>();
  }
  for (const json& one : lab_["hosts"]) {
    for (const json& vm : one["vms"]) {
      if (vm["name"] == name) {
        return vm["id"].get<std::string>();
      }
    }
  }
  return "99999999-9999-4999-8999-999999999999";
}

std::string Side::gpu_name(const std::string& place) const {
  const json& gpus = host()["gpus"];
  const std::size_t index = std::stoul(place);
  return index < gpus.size() ? gpus[index]["name"].get<std::string>() : "no such GPU";
}

}  // namespace gpup::conformance
