// The benchmark: `gpup_bench run GPUP HELLO FOLDER SCALE`; the other commands are the floors, which it runs as
// processes of their own.

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bench/figures.h"
#include "bench/floors.h"
#include "bench/inputs.h"
#include "bench/measure.h"

namespace gpup::bench {

namespace {

constexpr std::uint32_t kMany = 100000;
constexpr std::uint32_t kFew = 10000;
constexpr std::size_t kRounds = 9;
constexpr double kShaPerByte = 2.5;  // instructions a byte where the processor has them

struct DriftForm {
  std::string_view name;
  Command words;
  bool decides = true;
};

const std::vector<DriftForm> kDriftForms = {
    {"markdown", {"markdown"}},    {"markdown, uncut", {"markdown", "--max-bytes", "1000000000"}, false},
    {"junit", {"junit"}},          {"sarif", {"sarif"}},
    {"github", {"github"}, false}, {"gitlab", {"gitlab"}, false},
    {"json", {"json"}, false},     {"text", {"text"}, false},
};

class Benchmark {
 public:
  Benchmark(std::string self, std::string gpup, std::string hello, std::string folder, double scale)
      : self_(std::move(self)),
        gpup_(std::move(gpup)),
        hello_(std::move(hello)),
        folder_(std::move(folder)),
        scale_(scale) {}

  int run() {
    fmt::print(
        "Y: yaml-cpp's events of the same files; J: simdjson's walk of the snapshot; W: the plan's bytes written,\n"
        "with the flush to disk that gpup does. Medians of {} rounds in turns; instruction counts decide.\n",
        rounds());
    const std::uint32_t many = scaled(kMany);
    const std::uint32_t few = scaled(kFew);
    walls(many, few);
    drift_walls(many);
    instructions(few);
    drift_instructions(few);
    start();
    fmt::print("\n{}\n", figures_.missed() == 0
                             ? "All deciding figures are within their goals."
                             : fmt::format("{} deciding figures missed their goal.", figures_.missed()));
    return figures_.missed() == 0 || scale_ < 1 ? 0 : 1;
  }

 private:
  struct Set {
    Inputs inputs;
    std::string plan;
    Command yaml, json, bytes, planning, validate, show, why;
    Command finding;             ///< files and snapshot read and compared, a line said of it
    std::vector<Command> drift;  ///< by form, as kDriftForms
  };

  std::uint32_t scaled(std::uint32_t number) const { return static_cast<std::uint32_t>(number * scale_); }
  std::size_t rounds() const { return scale_ < 1 ? 3 : kRounds; }

  Set make(const std::string& name, const World& world) {
    const std::string& folder = name;
    Set set;
    set.inputs = write_inputs(world, folder);
    set.plan = folder + "/plan.json";
    set.yaml = {self_, "yaml"};
    Command files;
    for (const std::string& file : set.inputs.files) {
      set.yaml.push_back(file);
      files.insert(files.end(), {"-f", file});
    }
    set.json = {self_, "json", set.inputs.snapshot};
    const auto with_files = [&](Command command, const Command& rest) {
      command.insert(command.end(), files.begin(), files.end());
      command.insert(command.end(), rest.begin(), rest.end());
      return command;
    };
    set.planning = with_files({gpup_, "plan"}, {"--observed", set.inputs.snapshot, "-o", "json", "--out", set.plan});
    set.validate = with_files({gpup_, "validate"}, {});
    set.finding = with_files({gpup_, "validate"}, {"--observed", set.inputs.snapshot});
    for (const DriftForm& form : kDriftForms) {
      Command rest = {"--observed", set.inputs.snapshot, "--state-dir", folder + "/no-state", "-o"};
      rest.insert(rest.end(), form.words.begin(), form.words.end());
      set.drift.push_back(with_files({gpup_, "drift"}, rest));
    }
    set.show = {gpup_, "show", set.plan};
    set.why = with_files({gpup_, "why"}, {"--observed", set.inputs.snapshot, "vdi-000007"});
    if (bench::run(set.planning).exit_code != 0) {
      figures_.failed("planning " + name);
    }
    std::error_code none;
    set.bytes = {self_, "bytes", folder + "/bytes", std::to_string(std::filesystem::file_size(set.plan, none))};
    return set;
  }

  void walls(std::uint32_t many, std::uint32_t few) {
    const Set all = make("all", {many, true, false});
    const Set same = make("same", {many, false, false});
    const Set flow = make("flow", {many, false, true});
    const Set small = make("few", {few, true, false});
    figures_.title(fmt::format("{} assignments, by the wall", many));
    const std::vector<Cost> t =
        run_in_turns({all.yaml, all.json, all.bytes, all.planning, same.json, same.planning, same.validate, same.yaml,
                      flow.validate, all.show, all.why, small.planning},
                     rounds());
    enum { kY, kJ, kW, kPlan, kSameJ, kSame, kValidate, kSameY, kFlow, kShow, kWhy, kSmall };
    figures_.note("Y", t[kY].seconds, "s");
    figures_.note("J", t[kJ].seconds, "s");
    figures_.note("W", t[kW].seconds, "s");
    figures_.note("plan, all change", t[kPlan].seconds, "s");
    figures_.at_most("plan, all change / (Y + J + W)",
                     t[kPlan].seconds / (t[kY].seconds + t[kJ].seconds + t[kW].seconds), 1.40, false);
    figures_.at_most("plan, nothing changes / (Y + J)", t[kSame].seconds / (t[kSameY].seconds + t[kSameJ].seconds),
                     1.20, false);
    figures_.at_most("validate / Y", t[kValidate].seconds / t[kSameY].seconds, 1.15, false);
    figures_.at_most("validate, flow style / block style", t[kFlow].seconds / t[kValidate].seconds, 1.30, false);
    figures_.at_most("show / plan", t[kShow].seconds / t[kPlan].seconds, 1.00, false);
    figures_.at_most("why / plan", t[kWhy].seconds / t[kPlan].seconds, 1.00, false);
    figures_.at_most("growth exponent of plan, from a tenth", std::log10(t[kPlan].seconds / t[kSmall].seconds), 1.05,
                     false);
    figures_.title("Peak memory");
    figures_.at_most("plan, all change, bytes an assignment", per(t[kPlan].peak_bytes, many), 1200, true);
    figures_.at_most("plan, nothing changes, bytes an assignment", per(t[kSame].peak_bytes, many), 1200, true);
    figures_.note("show, bytes an assignment", per(t[kShow].peak_bytes, many), "");
    figures_.note("inputs, bytes an assignment", inputs_size(all) / many, "");
    figures_.note("plan, bytes an assignment", std::stod(all.bytes.back()) / many, "");
  }

  void drift_walls(std::uint32_t many) {
    const Set all = make("drift", {many, true, false});
    figures_.title(fmt::format("A drift of {} assignments, by the wall", many));
    std::vector<Command> commands = {all.finding};
    commands.insert(commands.end(), all.drift.begin(), all.drift.end());
    const std::vector<Cost> t = run_in_turns(commands, rounds());
    figures_.note("finding it", t[0].seconds, "s");
    for (std::size_t i = 0; i < kDriftForms.size(); ++i) {
      figures_.at_most(fmt::format("{} / finding it", kDriftForms[i].name), t[i + 1].seconds / t[0].seconds - 1, 0.30,
                       false);
    }
    figures_.note("junit, peak bytes an assignment", per(t[3].peak_bytes, many), "");
  }

  void drift_instructions(std::uint32_t few) {
    const Set all = make("drift-10", {few, true, false});
    figures_.title(fmt::format("A drift of {} assignments, by instructions", few));
    const double digested = inputs_size(all);
    const auto finding = count("finding it", all.finding, digested);
    for (std::size_t i = 0; finding && i < kDriftForms.size(); ++i) {
      if (const auto form = count(kDriftForms[i].name, all.drift[i], digested)) {
        figures_.at_most(fmt::format("{} / finding it", kDriftForms[i].name), *form / *finding - 1, 0.30,
                         kDriftForms[i].decides);
      }
    }
  }

  static double per(std::uint64_t bytes, std::uint32_t assignments) { return static_cast<double>(bytes) / assignments; }

  static double inputs_size(const Set& set) {
    std::error_code none;
    double size = static_cast<double>(std::filesystem::file_size(set.inputs.snapshot, none));
    for (const std::string& file : set.inputs.files) {
      size += static_cast<double>(std::filesystem::file_size(file, none));
    }
    return size;
  }

  // Instructions with the digest's as they are on a processor that has its instructions.
  std::optional<double> count(std::string_view name, const Command& command, double digested = 0) {
    const std::optional<Instructions> counts = count_instructions(command, folder_);
    if (!counts) {
      figures_.failed(fmt::format("counting {}: is valgrind there?", name));
      return std::nullopt;
    }
    const double all = static_cast<double>(counts->all);
    const double digest = static_cast<double>(counts->digest);
    if (digested > 0) {
      fmt::print("  {:<58} {:>9.3f}   million, {:.3f} of them emulating SHA instructions\n", name, all / 1e6,
                 digest / 1e6);
      return all - digest + std::min(digest, digested * kShaPerByte);
    }
    figures_.note(name, all / 1e6, "million");
    return all;
  }

  void instructions(std::uint32_t few) {
    const Set all = make("all-10", {few, true, false});
    const Set same = make("same-10", {few, false, false});
    const Set flow = make("flow-10", {few, false, true});
    const Set tenth = make("all-1", {few / 10, true, false});
    figures_.title(fmt::format("{} assignments, by instructions", few));
    const double plan_bytes = std::stod(all.bytes.back());
    const double yaml_bytes = inputs_size(all);
    const auto y = count("Y", all.yaml);
    const auto j = count("J", all.json);
    const auto w = count("W", all.bytes);
    const auto same_y = count("Y, nothing changes", same.yaml);
    const auto same_j = count("J, nothing changes", same.json);
    const auto plan = count("plan, all change", all.planning, plan_bytes + yaml_bytes);
    const auto same_plan = count("plan, nothing changes", same.planning, yaml_bytes);
    const auto validate = count("validate", same.validate, yaml_bytes);
    const auto flow_validate = count("validate, flow style", flow.validate, yaml_bytes);
    const auto show = count("show", all.show, plan_bytes);
    const auto why = count("why", all.why, yaml_bytes);
    const auto tenth_plan = count("plan, all change, a tenth", tenth.planning, (plan_bytes + yaml_bytes) / 10);
    if (!y || !j || !w || !same_y || !same_j || !plan || !same_plan || !validate || !flow_validate || !show || !why ||
        !tenth_plan) {
      return;
    }
    figures_.at_most("plan, all change / (Y + J + W)", *plan / (*y + *j + *w), 1.40, true);
    figures_.at_most("plan, nothing changes / (Y + J)", *same_plan / (*same_y + *same_j), 1.20, true);
    figures_.at_most("validate / Y", *validate / *same_y, 1.15, true);
    figures_.at_most("validate, flow style / block style", *flow_validate / *validate, 1.30, true);
    figures_.at_most("show / plan", *show / *plan, 1.00, true);
    figures_.at_most("why / plan", *why / *plan, 1.00, true);
    figures_.at_most("growth exponent of plan, from a tenth", std::log10(*plan / *tenth_plan), 1.05, true);
  }

  void start() {
    figures_.title("Start, by the wall");
    constexpr std::size_t kTimes = 101;
    const std::vector<Cost> t = run_in_turns({{hello_}, {gpup_, "version"}}, kTimes);
    figures_.note("hello world", t[0].seconds * 1e3, "ms");
    figures_.at_most("gpup version / hello world", t[1].seconds / t[0].seconds, 1.80, true);
  }

  std::string self_, gpup_, hello_, folder_;
  double scale_;
  Figures figures_;
};

int usage() {
  fmt::print(stderr,
             "gpup_bench run GPUP HELLO FOLDER SCALE | yaml FILE... | json FILE | bytes FILE SIZE |\n"
             "           write FOLDER ASSIGNMENTS all|none block|flow\n");
  return 64;
}

int dispatch(const std::string& self, const std::vector<std::string>& arguments) {
  const std::string_view command = arguments.empty() ? std::string_view() : arguments[0];
  if (command == "yaml") {
    return parse_yaml({arguments.begin() + 1, arguments.end()}) > 0 ? 0 : 1;
  }
  if (command == "json" && arguments.size() == 2) {
    return walk_json(arguments[1]) > 0 ? 0 : 1;
  }
  if (command == "bytes" && arguments.size() == 3) {
    return write_bytes(arguments[1], std::strtoull(arguments[2].c_str(), nullptr, 10)) > 0 ? 0 : 1;
  }
  if (command == "write" && arguments.size() == 5) {
    write_inputs({static_cast<std::uint32_t>(std::strtoul(arguments[2].c_str(), nullptr, 10)), arguments[3] == "all",
                  arguments[4] == "flow"},
                 arguments[1]);
    return 0;
  }
  if (command == "run" && arguments.size() == 5) {
    // Names of files as short as a user's: they stand in every reason and every place of a plan.
    namespace fs = std::filesystem;
    const std::string own = fs::absolute(self).string();
    const std::string gpup = fs::absolute(arguments[1]).string();
    const std::string hello = fs::absolute(arguments[2]).string();
    fs::current_path(arguments[3]);
    return Benchmark(own, gpup, hello, ".", std::strtod(arguments[4].c_str(), nullptr)).run();
  }
  return usage();
}

}  // namespace

}  // namespace gpup::bench

int main(int argc, char** argv) {
  return gpup::bench::dispatch(argv[0], std::vector<std::string>(argv + 1, argv + argc));
}
