#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/sink.h"
#include "plan/drift.h"
#include "plan/outage.h"
#include "plan/plan.h"
#include "render/difference_words.h"
#include "render/html_picture.h"
#include "render/plan_failure.h"

namespace gpup {

/// When a step is or was under way, in milliseconds since the first began; the same twice: it was not.
using Spans = std::vector<Timeline::Span>;

/// How many VMs have that fate.
using Fates = std::array<std::size_t, kFates>;
std::size_t at(const Fates& counts, Fate fate);

/// A part of the time axis, as SVG wants it: in percent of its width. `kind`: its class in page.css.
std::string time_part(std::string_view kind, std::uint64_t from, std::uint64_t to, std::uint64_t whole);

/// What the pages of plans, drift and runs have in common: each host, with its picture, its steps as time goes by or
/// what differs, and what to take note of. Holds references to what it was made of.
class HostsPage {
 public:
  /// `spans`: when each step is or was under way, by Plan::steps.
  HostsPage(const Tale& tale, const Spans* spans, Sink& sink);

  /// VMs get their expected outage beside them.
  void set_outage(const Outage& outage);
  /// Each step gets what is left where it fails.
  void tell_failures() { failures_.emplace(plan_); }

  /// What is not written yet; whoever adds to it flushes now and then.
  std::string& out() { return out_; }
  void flush(bool all = false);

  const Fates& fates() const { return fates_; }
  /// How long all steps take, in milliseconds.
  std::uint64_t whole() const { return whole_; }
  /// Hosts on which something changes or differs.
  std::size_t touched_hosts() const;

  void begin_section(std::string_view id, std::string_view title);
  void end_section() { out_ += "</section>\n"; }
  /// The section of what was not checked, and of diagnostics.
  void notes(const Diagnostics& diagnostics);
  void legend();
  void hosts();

 private:
  /// How many differences of a host count: those that policy.ignore accepts do not.
  std::size_t counted_of(std::size_t host) const;
  static std::string_view drift_words(Fate fate);
  static std::string_view drift_words(Move move);
  /// Of the time axes: what is there of it.
  void bar_legend();
  void note(const Diagnostic& diagnostic);
  void host(std::uint32_t h, bool open);
  /// What happens on a host, in one line.
  std::string host_line(std::uint32_t h) const;
  void pictures(const HostPicture& picture, std::uint32_t h);
  void figure(std::string_view title, std::string_view host, const Side& side);
  /// For those who do not see the picture.
  static std::string side_words(const Side& side);
  void axis();
  void timeline(std::uint32_t h);
  bool went_wrong(const std::vector<std::uint32_t>& steps) const;
  void gpu_row(std::uint32_t gpu);
  void vm_row(std::uint32_t vm);
  static std::string row_words(const VmStory& story);
  /// From the begin of its stop to the end of its start, or of all.
  bool down_span(std::uint32_t vm, std::uint64_t& from, std::uint64_t& to) const;
  std::string down_time(std::uint32_t vm, const Outage::OfVm* outage) const;
  void bar(const std::vector<std::uint32_t>& steps, std::string_view kind, std::uint64_t from, std::uint64_t to);
  static std::string_view op_class(Op op);
  std::string held_words(const std::vector<std::string_view>& gpus, std::uint32_t host) const;
  void why(std::uint32_t vm, const Outage::OfVm* outage);
  std::string span_words(std::uint32_t step) const;
  /// `reasons`: where they are not the row's own, which stands above.
  void step_list(const std::vector<std::uint32_t>& steps, bool reasons);
  void outcome(std::uint32_t index);
  void failure(std::uint32_t index);
  void differences(std::uint32_t h);
  /// Who or what left it so, as far as is known; or the entry of policy.ignore that accepts it.
  std::string why(const Drifted& drifted) const;

  /// A difference, and in a drift what is known of it.
  struct Differing {
    const Difference* difference;
    const Drifted* drifted;  ///< nullptr: not in a drift
  };

  const Tale& tale_;
  const Plan& plan_;
  const Spans* spans_;
  std::uint64_t whole_;
  Sink& sink_;
  DifferenceWords words_;
  std::vector<VmStory> stories_;
  HostPictures pictures_;
  std::vector<std::vector<std::uint32_t>> gpus_;  // the steps of each
  std::vector<std::vector<std::uint32_t>> vms_;
  std::vector<std::vector<std::uint32_t>> rows_;     // by host: the first step of each GPU and VM that has one
  std::vector<std::vector<Differing>> differences_;  // by host
  Fates fates_{};
  const Outage* outage_ = nullptr;
  std::vector<std::uint32_t> outage_of_;  // by VM: its row in Outage::vms
  std::optional<Failures> failures_;
  std::string out_;
};

}  // namespace gpup
