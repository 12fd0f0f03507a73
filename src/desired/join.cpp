#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "desired/draft.h"

namespace gpup {

namespace {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr std::uint32_t kNotListed = 0x80000000;
constexpr std::size_t kMostGuesses = 100;  // suggestions cost a walk over all host names
constexpr std::size_t kMostGuessedFrom = 2'000;

/// The first of lines that are equal: an open hash table of their indexes.
class FirstOf {
 public:
  explicit FirstOf(std::size_t most) : slots_(std::bit_ceil(most * 2 + 2), kNone) {}

  /// The first line that was added and is equal to `index`, or else `index`, which is then added.
  template <class Equal>
  std::uint32_t find_or_add(std::size_t hash, std::uint32_t index, const Equal& equal) {
    std::uint32_t& slot = find(hash, equal);
    if (slot == kNone) {
      slot = index;
    }
    return slot;
  }

  /// The slot of the equal line, or an empty one.
  template <class Equal>
  std::uint32_t& find(std::size_t hash, const Equal& equal) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = mix(hash) & mask;
    while (slots_[at] != kNone && !equal(slots_[at])) {
      at = (at + 1) & mask;
    }
    return slots_[at];
  }

 private:
  static std::size_t mix(std::size_t hash) { return hash ^ (hash >> 29U); }

  std::vector<std::uint32_t> slots_;
};

std::size_t combine(std::size_t a, std::size_t b) { return (a ^ (a >> 23U)) * 0x9e3779b97f4a7c15U + b; }

std::size_t hash_text(std::string_view text) { return std::hash<std::string_view>{}(text); }

/// Of hexadecimal digits without case.
std::size_t hash_guid(std::string_view guid) {
  std::size_t hash = 0;
  for (const char c : guid) {
    hash = combine(hash, static_cast<std::size_t>(c) | 0x20U);
  }
  return hash;
}

class Join {
 public:
  Join(Draft& draft, Mistakes& mistakes) : draft_(draft), state_(draft.state), mistakes_(mistakes) {}

  void run() {
    check_missing();
    index_hosts();
    resolve_gpu_hosts();
    resolve_vm_hosts();
    check_gpus();
    check_assignments();
    check_ignores();
    state_.texts.push_back(draft_.texts);
  }

 private:
  void check_missing() {
    if (!draft_.first_document.known()) {
      return;  // no document, which was said
    }
    if (!draft_.name_at.known() && draft_.header_known && draft_.files_whole) {
      mistakes_.add(draft_.first_document, Code::kMissingKey, "'metadata' with a 'name' is missing",
                    "one document says it: metadata: { name: ... }");
    }
    if (!draft_.hosts_given && draft_.files_whole) {
      mistakes_.add(draft_.first_document, Code::kMissingKey, "'hosts' is missing",
                    "list the hosts that gpup reads and changes");
    }
  }

  void index_hosts() {
    index_of_name_.assign(draft_.host_names.size(), kNone);
    for (std::uint32_t i = 0; i < state_.hosts.size(); ++i) {
      std::uint32_t& index = index_of_name_[draft_.host_numbers[i]];
      if (index == kNone) {
        index = i;
        continue;
      }
      mistakes_.add(state_.hosts[i].place, Code::kSaidTwice,
                    fmt::format("host {} is said twice, first at {}", in_quotes(state_.hosts[i].target.name),
                                mistakes_.name(state_.hosts[index].place)));
    }
  }

  /// The index of a host by the number of its name; kNone once it was said that it is not listed.
  std::uint32_t resolve(std::uint32_t number, Place place) {
    const std::uint32_t index = index_of_name_[number];
    if (index == kNone && draft_.hosts_whole && draft_.files_whole) {
      const std::string& name = draft_.host_names.name(number);
      mistakes_.add(place, Code::kUnknownHost, fmt::format("host {} is not listed under 'hosts'", in_quotes(name)),
                    guess(name));
    }
    return index;
  }

  std::string guess(const std::string& name) {
    if (name.size() > kLongestGuess || ++guesses_ > kMostGuesses) {
      return {};
    }
    std::vector<std::string_view> known;
    for (std::size_t i = 0; i < std::min(state_.hosts.size(), kMostGuessedFrom); ++i) {
      if (state_.hosts[i].target.name.size() <= kLongestGuess) {
        known.push_back(state_.hosts[i].target.name);
      }
    }
    const auto near = nearest(name, known);
    return near ? fmt::format("did you mean '{}'?", *near) : std::string();
  }

  void resolve_gpu_hosts() {
    for (std::size_t i = 0; i < state_.gpus.size(); ++i) {
      std::vector<std::uint32_t>& hosts = state_.gpus[i].hosts;
      const std::vector<Place>& places = draft_.gpu_hosts_at[i];
      std::vector<std::uint32_t> indexes;
      std::unordered_map<std::uint32_t, std::size_t> first;
      for (std::size_t j = 0; j < hosts.size(); ++j) {
        if (const auto [seen, fresh] = first.emplace(hosts[j], j); !fresh) {
          mistakes_.add(places[j], Code::kSaidTwice,
                        fmt::format("host {} is said twice in this list, first at {}",
                                    in_quotes(draft_.host_names.name(hosts[j])), mistakes_.name(places[seen->second])));
          continue;
        }
        if (const std::uint32_t index = resolve(hosts[j], places[j]); index != kNone) {
          indexes.push_back(index);
        }
      }
      // A line whose hosts are all unknown is not one for all hosts.
      named_hosts_.push_back(!hosts.empty());
      hosts = std::move(indexes);
    }
  }

  void resolve_vm_hosts() {
    for (DesiredAssignment& line : state_.assignments) {
      if (line.host == DesiredAssignment::kNoHost) {
        continue;
      }
      const std::uint32_t index = resolve(line.host, line.at(line.host_at));
      // One that is not listed stays apart from "any host", so that it does not seem to be said twice.
      line.host = index == kNone ? kNotListed | line.host : index;
    }
  }

  struct SameCards {
    std::uint32_t any = kNone;     ///< the first line with this name
    std::uint32_t on_all = kNone;  ///< the first that names no hosts
    std::unordered_map<std::uint32_t, std::uint32_t> on_host;
  };

  void check_gpus() {
    std::map<std::pair<char, std::string_view>, SameCards> lines;
    for (std::uint32_t i = 0; i < state_.gpus.size(); ++i) {
      const DesiredGpu& line = state_.gpus[i];
      const std::string_view name = gpu_name(line);
      const char kind = !line.model.empty() ? 'm' : !line.device.empty() ? 'd' : 'r';
      SameCards& same = lines[{kind, name}];
      if (const std::uint32_t first = first_on_these_hosts(same, i); first != kNone) {
        mistakes_.add(line.place, Code::kSaidTwice,
                      fmt::format("GPU line {} is said twice for one host, first at {}", in_quotes(name),
                                  mistakes_.name(state_.gpus[first].place)));
      }
    }
  }

  static std::string_view gpu_name(const DesiredGpu& line) {
    return !line.model.empty() ? line.model : !line.device.empty() ? line.device : line.match;
  }

  /// The first line with this name that shares a host with line `i`; adds line `i`.
  std::uint32_t first_on_these_hosts(SameCards& same, std::uint32_t i) {
    std::uint32_t first = same.on_all;
    if (!named_hosts_[i]) {
      first = same.any;
      same.on_all = std::min(same.on_all, i);
    }
    for (const std::uint32_t host : state_.gpus[i].hosts) {
      const auto [seen, fresh] = same.on_host.emplace(host, i);
      if (!fresh) {
        first = std::min(first, seen->second);
      }
    }
    same.any = std::min(same.any, i);
    return first;
  }

  void check_assignments() {
    const std::vector<DesiredAssignment>& lines = state_.assignments;
    const auto with_id = static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [](const DesiredAssignment& line) { return !line.id.empty(); }));
    FirstOf by_name(lines.size());
    FirstOf by_id(with_id);
    FirstOf by_id_and_host(with_id);
    for (std::uint32_t i = 0; i < lines.size(); ++i) {
      const std::uint32_t first =
          lines[i].id.empty() ? first_of_name(by_name, i) : first_of_id(by_id, by_id_and_host, i);
      if (first != i) {
        said_twice(lines[i], lines[first]);
      }
    }
  }

  std::uint32_t first_of_name(FirstOf& by_name, std::uint32_t i) {
    const std::vector<DesiredAssignment>& lines = state_.assignments;
    const DesiredAssignment& line = lines[i];
    const std::size_t hash = combine(line.vm.empty() ? ~hash_text(line.match) : hash_text(line.vm), line.host);
    return by_name.find_or_add(hash, i, [&](std::uint32_t other) {
      return lines[other].host == line.host && lines[other].vm == line.vm && lines[other].match == line.match;
    });
  }

  /// One GUID names one VM, unless two lines put it on two hosts (a replica keeps its VM's GUID).
  std::uint32_t first_of_id(FirstOf& by_id, FirstOf& by_id_and_host, std::uint32_t i) {
    const std::vector<DesiredAssignment>& lines = state_.assignments;
    const DesiredAssignment& line = lines[i];
    const std::size_t hash = hash_guid(line.id);
    const auto same_on = [&](std::uint32_t host) {
      return [&lines, &line, host](std::uint32_t other) {
        return lines[other].host == host && same_name(lines[other].id, line.id);
      };
    };
    const std::uint32_t same_host = by_id_and_host.find_or_add(combine(hash, line.host), i, same_on(line.host));
    const std::uint32_t any_host =
        by_id.find_or_add(hash, i, [&](std::uint32_t other) { return same_name(lines[other].id, line.id); });
    if (same_host != i || any_host == i) {
      return same_host;
    }
    if (line.host == DesiredAssignment::kNoHost) {
      return any_host;
    }
    const std::uint32_t no_host =
        by_id_and_host.find(combine(hash, DesiredAssignment::kNoHost), same_on(DesiredAssignment::kNoHost));
    return no_host == kNone ? i : no_host;
  }

  void check_ignores() {
    if (!draft_.hosts_whole || !draft_.files_whole) {
      return;
    }
    for (const DesiredIgnore& line : state_.policy.ignores) {
      if (std::none_of(state_.hosts.begin(), state_.hosts.end(),
                       [&](const DesiredHost& host) { return same_name(host.target.name, line.host); })) {
        mistakes_.add(line.place, Code::kUnknownHost,
                      fmt::format("host {} is not listed under 'hosts'", in_quotes(line.host)), guess(line.host));
      }
    }
  }

  void said_twice(const DesiredAssignment& line, const DesiredAssignment& first) {
    const std::string_view name = !line.vm.empty() ? line.vm : !line.id.empty() ? line.id : line.match;
    mistakes_.add(line.place, Code::kSaidTwice,
                  fmt::format("{} {} is said twice, first at {}", line.match.empty() ? "VM" : "match", in_quotes(name),
                              mistakes_.name(first.place)));
  }

  Draft& draft_;
  DesiredState& state_;
  Mistakes& mistakes_;
  std::vector<std::uint32_t> index_of_name_;  ///< of hosts, by the number of their name
  std::vector<bool> named_hosts_;             ///< whether a GPU line names its hosts
  std::size_t guesses_ = 0;
};

}  // namespace

DesiredState join(Draft draft, Mistakes& mistakes) {
  Join(draft, mistakes).run();
  return std::move(draft.state);
}

std::uint32_t HostNames::number(std::string_view name) {
  if (!names_.empty() && name == last_) {
    return last_number_;
  }
  const auto [found, fresh] = by_folded_.emplace(fold_case(name), static_cast<std::uint32_t>(names_.size()));
  if (fresh) {
    names_.emplace_back(name);
  }
  last_ = name;
  last_number_ = found->second;
  return last_number_;
}

}  // namespace gpup
