#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json_writer.h"
#include "base/text.h"
#include "base/xml.h"
#include "render/drift.h"
#include "render/drift_findings.h"

namespace gpup {

namespace {

/// Numbers rows by their places.
class RowsByPlace {
 public:
  void add(Place place, std::uint32_t row) { rows_.emplace_back(place, row); }

  void finish() {
    if (!std::is_sorted(rows_.begin(), rows_.end())) {
      std::sort(rows_.begin(), rows_.end());
    }
  }

  /// kNone where there is none. Fast where places are asked for in order.
  std::uint32_t find(Place place) {
    ++next_;
    if (next_ >= rows_.size() || rows_[next_].first != place) {
      const auto found = std::lower_bound(rows_.begin(), rows_.end(), std::pair<Place, std::uint32_t>(place, 0));
      next_ = static_cast<std::size_t>(found - rows_.begin());
      if (found == rows_.end() || found->first != place) {
        return kNone;
      }
    }
    return rows_[next_].second;
  }

 private:
  std::vector<std::pair<Place, std::uint32_t>> rows_;
  std::size_t next_ = 0;
};

/// What is said of each line of the files: those under `gpus` first, then the assignments.
class JunitLines {
 public:
  explicit JunitLines(const Drift& drift)
      : gpus_(drift.desired.gpus.size()),
        not_compared_(gpus_ + drift.desired.assignments.size(), false),
        first_(not_compared_.size() + 1, 0) {
    for (const std::uint32_t i : drift.not_compared.gpus) {
      not_compared_[i] = true;
    }
    for (const std::uint32_t i : drift.not_compared.assignments) {
      not_compared_[gpus_ + i] = true;
    }
    RowsByPlace counts;
    RowsByPlace vms;
    for (std::uint32_t i = 0; i < gpus_; ++i) {
      if (drift.desired.gpus[i].partition_count) {
        counts.add(drift.desired.gpus[i].count_place, i);
      }
    }
    for (std::uint32_t i = 0; i < drift.desired.assignments.size(); ++i) {
      vms.add(drift.desired.assignments[i].place, static_cast<std::uint32_t>(gpus_) + i);
    }
    counts.finish();
    vms.finish();
    std::vector<std::uint32_t> line_of(drift.found.size(), kNone);
    for (std::uint32_t i = 0; i < drift.found.size(); ++i) {
      const Difference& difference = drift.plan.differences[drift.found[i].difference];
      if (difference.subject == Subject::kGpu) {
        line_of[i] = counts.find(difference.source);
      } else if (difference.subject == Subject::kVm && drift.plan.vms[difference.index].place.known()) {
        line_of[i] = vms.find(drift.plan.vms[difference.index].place);
      }
      if (line_of[i] == kNone) {
        rest_.push_back(i);
      } else {
        ++first_[line_of[i] + 1];
      }
    }
    for (std::size_t i = 1; i < first_.size(); ++i) {
      first_[i] += first_[i - 1];
    }
    found_.resize(drift.found.size() - rest_.size());
    std::vector<std::uint32_t> next = first_;
    for (std::uint32_t i = 0; i < line_of.size(); ++i) {
      if (line_of[i] != kNone) {
        found_[next[line_of[i]]++] = i;
      }
    }
  }

  std::size_t gpus() const { return gpus_; }
  std::size_t size() const { return not_compared_.size(); }
  bool compared(std::size_t line) const { return !not_compared_[line]; }
  /// Indexes into Drift::found.
  std::span<const std::uint32_t> of(std::size_t line) const {
    return std::span(found_).subspan(first_[line], first_[line + 1] - first_[line]);
  }
  /// Of what no line of its own wants.
  std::span<const std::uint32_t> rest() const { return rest_; }

 private:
  std::size_t gpus_;
  std::vector<bool> not_compared_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> rest_;
};

struct Counts {
  std::size_t cases = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;

  Counts& operator+=(const Counts& other) {
    cases += other.cases;
    failed += other.failed;
    skipped += other.skipped;
    return *this;
  }
};

class JUnit {
 public:
  JUnit(const Drift& drift, Sink& sink) : drift_(drift), sink_(sink), words_(drift.plan), lines_(drift) {}

  void write() {
    const Counts hosts{drift_.desired.hosts.size(), 0, drift_.plan.not_checked.size()};
    const Counts gpus = count(0, lines_.gpus());
    const Counts vms = count(lines_.gpus(), lines_.size());
    const Counts rest = count_rest();
    const Counts told{drift_.diagnostics.size(),
                      static_cast<std::size_t>(std::count_if(
                          drift_.diagnostics.begin(), drift_.diagnostics.end(),
                          [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; })),
                      0};
    Counts all;
    for (const Counts& each : {hosts, gpus, vms, rest, told}) {
      all += each;
    }
    out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"gpup drift";
    append_xml(out_, drift_.plan.name.empty() ? std::string() : ": " + drift_.plan.name);
    append_counts(all);
    write_hosts(hosts);
    begin_suite("gpus", gpus);
    for (std::size_t i = 0; i < lines_.gpus(); ++i) {
      const DesiredGpu& line = drift_.desired.gpus[i];
      name_ = "GPU ";
      name_ += !line.model.empty() ? line.model : !line.device.empty() ? line.device : line.match;
      write_line(i, "gpus", line.place);
    }
    end_suite(gpus);
    begin_suite("assignments", vms);
    for (std::size_t i = lines_.gpus(); i < lines_.size(); ++i) {
      const DesiredAssignment& line = drift_.desired.assignments[i - lines_.gpus()];
      name_ = line.match.empty() ? "VM " : "VMs ";
      name_ += !line.vm.empty() ? line.vm : !line.id.empty() ? line.id : line.match;
      write_line(i, "assignments", line.place);
    }
    end_suite(vms);
    write_rest(rest);
    write_told(told);
    out_ += "</testsuites>\n";
    sink_.write(out_);
  }

 private:
  const Drifted& found(std::uint32_t i) const { return drift_.found[i]; }

  bool fails(std::size_t line) const {
    const auto all = lines_.of(line);
    return std::any_of(all.begin(), all.end(), [&](std::uint32_t i) { return !found(i).ignored(); });
  }

  Counts count(std::size_t begin, std::size_t end) const {
    Counts counts;
    counts.cases = end - begin;
    for (std::size_t line = begin; line < end; ++line) {
      const bool failed = fails(line);
      counts.failed += failed ? 1U : 0U;
      counts.skipped += !failed && (!lines_.of(line).empty() || !lines_.compared(line)) ? 1U : 0U;
    }
    return counts;
  }

  Counts count_rest() const {
    Counts counts;
    counts.cases = lines_.rest().size();
    for (const std::uint32_t i : lines_.rest()) {
      ++(found(i).ignored() ? counts.skipped : counts.failed);
    }
    return counts;
  }

  void append_number(std::string_view attribute, std::uint64_t number) {
    out_.append(" ").append(attribute).append("=\"");
    append_json_number(out_, number);
    out_ += '"';
  }

  void append_counts(const Counts& counts) {
    out_ += '"';
    append_number("tests", counts.cases);
    append_number("failures", counts.failed);
    append_number("errors", 0);
    append_number("skipped", counts.skipped);
    out_ += ">\n";
  }

  /// A suite without cases is left out.
  void begin_suite(std::string_view name, const Counts& counts) {
    if (counts.cases > 0) {
      out_.append(" <testsuite name=\"").append(name);
      append_counts(counts);
    }
  }

  void end_suite(const Counts& counts) { out_ += counts.cases > 0 ? " </testsuite>\n" : ""; }

  /// `name_` in the case; it stays open.
  void begin_case(std::string_view suite, std::string_view file, std::uint32_t line) {
    out_.append("  <testcase classname=\"").append(suite).append("\" name=\"");
    append_xml(out_, name_);
    out_ += '"';
    if (!file.empty()) {
      out_ += " file=\"";
      append_xml(out_, file);
      out_ += '"';
      append_number("line", line);
    }
  }

  void begin_case(std::string_view suite, Place place) {
    const bool known = place.known() && place.file < drift_.plan.files.size();
    begin_case(suite, known ? std::string_view(drift_.plan.files[place.file].path) : std::string_view(), place.line);
  }

  void flush() {
    if (out_.size() > kChunk) {
      sink_.write(out_);
      out_.clear();
    }
  }

  void skip(std::string_view message) {
    out_ += "><skipped message=\"";
    append_xml(out_, message);
    out_ += "\"/></testcase>\n";
    flush();
  }

  void write_hosts(const Counts& counts) {
    begin_suite("hosts", counts);
    for (const DesiredHost& host : drift_.desired.hosts) {
      name_ = host.target.name;
      begin_case("hosts", host.place);
      const auto unread = std::find_if(drift_.plan.not_checked.begin(), drift_.plan.not_checked.end(),
                                       [&](const NotChecked& other) { return same_name(other.host, name_); });
      if (unread != drift_.plan.not_checked.end()) {
        skip(not_checked_words(*unread));
      } else {
        out_ += "/>\n";
      }
    }
    end_suite(counts);
  }

  void write_line(std::size_t line, std::string_view suite, Place place) {
    begin_case(suite, place);
    if (const auto all = lines_.of(line); !all.empty()) {
      write_found(all, fails(line));
    } else if (!lines_.compared(line)) {
      skip("not checked");
    } else {
      out_ += "/>\n";
      flush();
    }
  }

  void write_found(std::span<const std::uint32_t> all, bool failed) {
    message_.clear();
    append_sentence(message_, drift_, words_, found(all.front()));
    out_ += failed ? "><failure type=\"" : "><skipped message=\"";
    if (failed) {
      out_ += to_string(property(all.front()));
      out_ += "\" message=\"";
    }
    append_xml(out_, message_);
    out_ += "\">";
    for (const std::uint32_t i : all) {
      out_ += i == all.front() ? "" : "\n";
      place_.clear();
      append_place_words(place_, drift_.plan, found(i).place);
      append_xml(out_, place_);
      out_ += ": ";
      out_ += to_string(property(i));
      out_ += ": ";
      if (i != all.front()) {
        message_.clear();
        append_sentence(message_, drift_, words_, found(i));
      }
      append_xml(out_, message_);
    }
    out_ += failed ? "</failure></testcase>\n" : "</skipped></testcase>\n";
    flush();
  }

  Property property(std::uint32_t i) const { return drift_.plan.differences[found(i).difference].property; }

  void write_rest(const Counts& counts) {
    begin_suite("unlisted", counts);
    for (const std::uint32_t i : lines_.rest()) {
      name_.clear();
      words_.append_subject(name_, drift_.plan.differences[found(i).difference]);
      name_.append(" on ").append(drift_.plan.hosts[found(i).host].name);
      begin_case("unlisted", found(i).place);
      write_found(std::span(&i, 1), !found(i).ignored());
    }
    end_suite(counts);
  }

  void write_told(const Counts& counts) {
    begin_suite("diagnostics", counts);
    tell_diagnostics(drift_, [&](const DriftFinding& finding) {
      name_ = finding.rule;
      if (!finding.file.empty()) {
        name_ += fmt::format(" {}:{}", finding.file, finding.line);
      }
      begin_case("diagnostics", finding.file, finding.line);
      const std::string_view tag = finding.kind == FindingKind::kError ? "failure" : "system-out";
      out_.append("><").append(tag).append(">");
      append_xml(out_, finding.message);
      out_.append("</").append(tag).append("></testcase>\n");
      flush();
    });
    end_suite(counts);
  }

  const Drift& drift_;
  Sink& sink_;
  DifferenceWords words_;
  JunitLines lines_;
  std::string out_, name_, message_, place_;
};

}  // namespace

void render_drift_junit(const Drift& drift, Sink& out) { JUnit(drift, out).write(); }

}  // namespace gpup
