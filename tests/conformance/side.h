#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "conformance/fact.h"
#include "execute/host_writer.h"

namespace gpup::conformance {

/// Hosts that all facts are asked of: those of every lab, reached in one way.
class Side {
 public:
  /// `targets` has each host of each lab, by name. They read their labs in `folder`/TRANSPORT.
  Side(std::map<std::string, HostTarget> targets, const std::string& folder);

  struct Answer {
    std::string told;  ///< in the form of `Fact::told`
    std::string said;  ///< the words of all errors
  };
  Answer ask(const Fact& fact);

  std::string name() const;  ///< `simulated`, `ssh`, ...
  bool is_simulated() const;

 private:
  void begin(const Fact& fact);
  void write_lab();
  std::unique_ptr<HostWriter> make_hosts() const;

  std::string perform(std::string_view deed);
  std::string read(const std::vector<std::string>& words);
  std::string act(const std::vector<std::string>& words);
  std::string told(const Result<Done>& done);
  const ObservedState* observe();

  const HostTarget& target() const { return targets_.at(hosts_[host_]); }
  const nlohmann::json& host() const { return lab_["hosts"][host_]; }
  std::string id_of(const std::string& name) const;
  std::string gpu_name(const std::string& place) const;
  std::string tell(const Host& host, const Vm& vm) const;

  std::map<std::string, HostTarget> targets_;
  std::string folder_;
  std::unique_ptr<HostWriter> writer_;
  std::optional<Fact> last_;  ///< whose lab is untouched
  nlohmann::json lab_;
  std::string file_;
  std::vector<std::string> hosts_;
  std::size_t host_ = 0;
  std::map<std::size_t, Result<ObservedState>> seen_;
  std::string said_;
};

}  // namespace gpup::conformance
