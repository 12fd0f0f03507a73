#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "render/doctor.h"
#include "render/plan_words.h"

namespace gpup {

namespace {

using Results = std::span<const CheckResult>;

constexpr std::size_t kVerdictWidth = 11;  // of `not checked`
constexpr std::size_t kLongestText = 500;

std::string_view word(Verdict verdict) {
  return verdict == Verdict::kNotChecked ? std::string_view("not checked") : to_string(verdict);
}

std::string_view paint(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "\x1b[32m";
    case Verdict::kWarn:
      return "\x1b[33m";
    case Verdict::kFail:
      return "\x1b[31m";
    case Verdict::kNotChecked:
      return "\x1b[35m";
  }
  return "";
}

/// On one line, not too long, and safe.
std::string shown(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kLongestText)) {
    const bool space = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (text.size() > kLongestText) {
    while (!line.empty() && invalid_utf8_at(line) && *invalid_utf8_at(line) + 4 > line.size()) {
      line.pop_back();  // half a character
    }
    line += "...";
  }
  return escape_terminal(line);
}

std::string title_of(const Check& check) {
  return check.is_rule ? fmt::format("{} {}", check.id, check.title) : std::string(check.id);
}

bool passes(const CheckResult& result) { return result.verdict == Verdict::kPass; }

/// The results at the front that are about the same thing.
Results same_thing(Results results) {
  const auto end = std::find_if(results.begin(), results.end(), [&](const CheckResult& each) {
    return each.check.object != results.front().check.object || each.host != results.front().host ||
           each.name != results.front().name || each.vm_id != results.front().vm_id;
  });
  return results.first(static_cast<std::size_t>(end - results.begin()));
}

class DoctorText {
 public:
  DoctorText(const Checkup& checkup, DoctorForm form, Sink& out) : checkup_(checkup), form_(form), out_(out) {
    for (const CheckResult& result : checkup.results) {
      width_ = std::max(width_, title_of(result.check).size());
    }
  }

  void write() {
    for (Results rest = checkup_.results; !rest.empty();) {
      const Results thing = same_thing(rest);
      write_thing(thing);
      rest = rest.subspan(thing.size());
      if (rest.empty() || rest.front().host != thing.front().host) {
        write_vms();
      }
    }
    write_left_out();
    line(checkup_.results.empty() ? "" : "\n",
         fmt::format("{}: {} pass, {} warn, {} fail, {} not checked.", counted(checkup_.results.size(), "check"),
                     checkup_.count(Verdict::kPass), checkup_.count(Verdict::kWarn), checkup_.count(Verdict::kFail),
                     checkup_.count(Verdict::kNotChecked)));
  }

 private:
  void line(std::string_view indent, const std::string& text) { out_.write(fmt::format("{}{}\n", indent, text)); }

  std::string bold(const std::string& text) const { return form_.color ? "\x1b[1m" + text + "\x1b[0m" : text; }

  void write_thing(Results thing) {
    const CheckResult& first = thing.front();
    if (first.check.object == CheckObject::kVm && !form_.full) {
      keep_vm(thing);
      return;
    }
    std::string_view indent = "  ";
    switch (first.check.object) {
      case CheckObject::kCluster:
        line("", bold(first.name.empty() ? std::string("All hosts") : "Cluster " + shown(first.name)));
        break;
      case CheckObject::kHost:
        line(&first == checkup_.results.data() ? "" : "\n", bold(shown(first.host)));
        break;
      case CheckObject::kGpu:
        line("  ", "GPU " + shown(gpu_title(first.model, first.name)));
        indent = "    ";
        break;
      case CheckObject::kVm:
        line("  ", "VM " + shown(first.name));
        indent = "    ";
        break;
    }
    for (const CheckResult& result : thing) {
      write_row(result, indent);
    }
  }

  /// VMs of a host about which the same is to be said.
  struct Alike {
    Results sample;
    std::vector<std::string_view> names;
  };

  void keep_vm(Results vm) {
    std::string findings;
    for (const CheckResult& result : vm) {
      // Also what passes: it is counted.
      findings += fmt::format("{}\n{}\n", result.check.id, to_string(result.verdict));
      if (!passes(result)) {
        findings += fmt::format("{}\n{}\n", result.seen, result.mend);
      }
    }
    const auto [place, is_new] = alike_.try_emplace(std::move(findings), vms_.size());
    if (is_new) {
      vms_.push_back({vm, {}});
    }
    vms_[place->second].names.push_back(vm.front().name);
  }

  void write_vms() {
    for (const Alike& vms : vms_) {
      constexpr std::size_t kMost = 5;
      std::string names;
      for (std::size_t i = 0; i < std::min(vms.names.size(), kMost); ++i) {
        names += (i == 0 ? "" : ", ") + shown(vms.names[i]);
      }
      if (vms.names.size() > kMost) {
        names += fmt::format(" and {} more", vms.names.size() - kMost);
      }
      line("  ", vms.names.size() == 1 ? "VM " + names : fmt::format("{} VMs: {}", vms.names.size(), names));
      std::size_t passing = 0;
      for (const CheckResult& result : vms.sample) {
        if (passes(result)) {
          ++passing;
        } else {
          write_row(result, "    ");
        }
      }
      if (passing > 0) {
        const bool all = passing == vms.sample.size();
        write_row(Verdict::kPass, "    ", all ? counted(passing, "check") : counted(passing, "more check"), "");
      }
    }
    vms_.clear();
    alike_.clear();
  }

  void write_row(const CheckResult& result, std::string_view indent) {
    const std::string code = result.code ? to_string(*result.code) + ": " : std::string();
    write_row(result.verdict, indent, title_of(result.check), code + shown(result.seen));
    if (!result.mend.empty()) {
      const std::size_t column = indent.size() + kVerdictWidth + 2 + width_ + 2;
      line(std::string(column, ' '), "= " + shown(result.mend));
    }
  }

  void write_row(Verdict verdict, std::string_view indent, const std::string& title, const std::string& seen) {
    const std::string name(word(verdict));
    std::string row = fmt::format("{}{}{}  {:<{}}  {}", form_.color ? paint(verdict) : "", name,
                                  (form_.color ? "\x1b[0m" : "") + std::string(kVerdictWidth - name.size(), ' '), title,
                                  width_, seen);
    row.erase(row.find_last_not_of(' ') + 1);
    line(indent, row);
  }

  void write_left_out() {
    std::map<std::string_view, std::vector<std::string_view>> by_reason;
    for (const LeftOut& each : checkup_.left_out) {
      by_reason[each.why].push_back(each.check);
    }
    const char* space = "\n";
    for (const auto& [why, checks] : by_reason) {
      write_list(fmt::format("{}Left out, since {}:", space, why), checks);
      space = "";
    }
  }

  void write_list(std::string row, const std::vector<std::string_view>& words) {
    constexpr std::size_t kWidth = 100;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string word = std::string(words[i]) + (i + 1 < words.size() ? "," : ".");
      if (row.size() + 1 + word.size() > kWidth) {
        line("", row);
        row = " ";
      }
      row += " " + word;
    }
    line("", row);
  }

  const Checkup& checkup_;
  DoctorForm form_;
  Sink& out_;
  std::size_t width_ = 0;
  std::vector<Alike> vms_;                    ///< of the host that is being written
  std::map<std::string, std::size_t> alike_;  ///< indexes into it, by all that is to be said
};

}  // namespace

void render_doctor_text(const Checkup& checkup, DoctorForm form, Sink& out) { DoctorText(checkup, form, out).write(); }

}  // namespace gpup
