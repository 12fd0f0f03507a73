#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/tar.h"
#include "base/text.h"
#include "cli/build_record.h"
#include "cli/command_runs.h"
#include "cli/examine.h"
#include "cli/exit_codes.h"
#include "cli/explain.h"
#include "cli/inputs.h"
#include "cli/runs.h"
#include "cli/schemas.h"
#include "desired/as_json.h"
#include "render/bundle_json.h"
#include "render/diagnostics_json.h"
#include "render/doctor.h"
#include "render/plan_reader.h"
#include "render/pseudonyms.h"
#include "render/snapshot_json.h"

namespace gpup {

namespace {

constexpr std::size_t kMostRuns = 20;
constexpr std::uint64_t kLargestJournal = std::uint64_t{64} * 1024 * 1024;
constexpr std::uint64_t kLargestSystemFile = std::uint64_t{64} * 1024;

std::string one_line(Result<std::string> text) { return text ? text->substr(0, text->find('\n')) : std::string(); }

/// `Debian GNU/Linux 12 (bookworm), Linux 6.1.0-18-amd64`, as far as the machine says.
std::string system_of(World& world) {
  constexpr std::string_view kName = "PRETTY_NAME=\"";
  std::string system;
  const auto release = world.read_file("/etc/os-release", kLargestSystemFile);
  const std::size_t at = release ? release->find(kName) : std::string::npos;
  if (at != std::string::npos) {
    const std::size_t begin = at + kName.size();
    system = release->substr(begin, release->find('"', begin) - begin);
  }
  const std::string kernel = one_line(world.read_file("/proc/sys/kernel/osrelease", kLargestSystemFile));
  return kernel.empty() ? system : system + (system.empty() ? "Linux " : ", Linux ") + kernel;
}

/// The words of our formats: names of members, and what stands in quotes in their schemas without a blank.
Pseudonyms::Words words_of_formats() {
  Pseudonyms::Words words;
  for (const Schema& schema : schemas()) {
    for (std::size_t at = schema.text.find('"'); at != std::string_view::npos; at = schema.text.find('"', at + 1)) {
      const std::size_t end = schema.text.find('"', at + 1);
      if (end == std::string_view::npos) {
        break;
      }
      const std::string_view word = schema.text.substr(at + 1, end - at - 1);
      if (word.find_first_of(" \\\n") == std::string_view::npos) {
        words.emplace(word);
      }
      at = end;
    }
  }
  for (const Explanation* row : explanations()) {
    words.insert(to_string(row->code));
  }
  words.insert("overridden");  // of a journal's diagnostics
  return words;
}

class Bundle {
 public:
  explicit Bundle(const Call& call) : call_(call), pseudonyms_(call.line.has("pseudonyms")) {}

  /// An error is what keeps the files of -f from being read.
  Result<Done> gather() {
    if (call_.line.has("file")) {
      auto files = read_files(call_);
      if (!files && files.error().diagnostics.empty()) {
        return tl::unexpected<Error>(files.error());
      }
      if (files) {
        add_diagnostics(files->warnings);
        add_desired(*files);
        add_hosts(*files);
      } else if (files.error().code == ErrorCode::kBadContent) {
        add_diagnostics(files.error().diagnostics);
        leave_out("the files of the desired state", "they hold mistakes, and so might hold what is nobody's business");
        leave_out("what the hosts say", "the files hold mistakes");
      } else {
        return tl::unexpected<Error>(files.error());
      }
    }
    add_runs();
    return Done{};
  }

  Result<Done> write(const std::string& path) {
    if (pseudonyms_) {
      put_pseudonyms();
    }
    BundleHead head{std::string(build_record().version), system_of(call_.world), to_string(call_.world.now()),
                    pseudonyms_};
    const std::string about = render_bundle_json(head, files_, gaps_);
    const auto written = write_file(call_, path, [&](OutputFile& out) {
      const auto now = std::chrono::floor<std::chrono::seconds>(call_.world.now().time_since_epoch()).count();
      Tar tar(out, static_cast<std::uint64_t>(now > 0 ? now : 0));
      tar.add("bundle.json", about);
      for (const BundleFile& file : files_) {
        tar.add(file.name, file.text);
      }
      tar.finish();
    });
    return written ? Result<Done>(Done{}) : tl::unexpected<Error>(written.error());
  }

  std::string listing(const std::string& path) const {
    std::string out;
    for (const BundleFile& file : files_) {
      out += fmt::format("{:>10}  {}: {}\n", file.text.size(), escape_terminal(file.name), file.what);
    }
    for (const BundleGap& gap : gaps_) {
      out += fmt::format("left out: {}: {}\n", escape_terminal(gap.what), escape_terminal(gap.why));
    }
    return out + fmt::format("{} file{} in {}{}\n", files_.size() + 1, files_.empty() ? "" : "s", escape_terminal(path),
                             pseudonyms_ ? ", names replaced by pseudonyms" : ", with names as they are");
  }

 private:
  void add(std::string name, std::string what, std::string text) {
    text = hide_passwords(text);
    files_.push_back({std::move(name), std::move(what), std::move(text)});
  }
  void leave_out(const std::string& what, const std::string& why) {
    gaps_.push_back({hide_passwords(what), hide_passwords(why)});
  }

  void add_diagnostics(const Diagnostics& diagnostics) {
    if (!diagnostics.empty()) {
      StringSink text;
      write_diagnostics(diagnostics, text);
      add("diagnostics.json", "what is to be said of the files", std::move(text.text));
    }
  }

  void add_desired(const Files& files) {
    std::size_t number = 0;
    for (const Sources::File& file : files.sources.files()) {
      ++number;
      if (!pseudonyms_) {
        add(fmt::format("desired/{}.yaml", number), "a file of the desired state", without_secret_comments(file.text));
      } else if (auto json = yaml_as_json(file.text)) {
        add(fmt::format("desired/{}.json", number), "a file of the desired state, as JSON", std::move(*json));
      } else {
        leave_out(fmt::format("file {} of the desired state", number), "it cannot be read again");
      }
    }
  }

  void add_hosts(const Files& files) {
    Diagnostics trouble;
    const auto observed = read_observed(call_, files.targets(), trouble);
    if (observed) {
      StringSink text;
      write_snapshot(*observed, text);
      add("snapshot.json", "what the hosts say", std::move(text.text));
    } else {
      leave_out("what the hosts say", observed.error().diagnostics.empty()
                                          ? observed.error().message
                                          : observed.error().diagnostics.front().message);
    }
    const Checkup checkup = check_up(&files.desired, examine_all(call_.world, files.targets()));
    StringSink text;
    write_doctor_json(checkup, exit_code(checkup), text);
    add("doctor.json", "what 'gpup doctor' says", std::move(text.text));
  }

  void add_runs() {
    auto names = run_names(call_);
    if (!names) {
      leave_out("the journals", names.error().message);
      return;
    }
    std::size_t number = 0;
    for (auto name = names->rbegin(); name != names->rend(); ++name) {
      if (++number > kMostRuns) {
        leave_out("older runs", fmt::format("there are {}, and the newest {} are kept", names->size(), kMostRuns));
        return;
      }
      add_run(*name, pseudonyms_ ? fmt::format("run-{}", number) : *name);
    }
  }

  /// The journal and the plan of a run, where they are what they seem to be: anything else may be anybody's.
  void add_run(const std::string& run, const std::string& name) {
    const std::string folder = state_folder(call_) + "/";
    const auto recorded = read_run(call_, run);
    if (!recorded) {
      leave_out(fmt::format("the journal of {}", name), "it is not as gpup writes it, or cannot be read");
      return;
    }
    auto journal = call_.world.read_file(folder + run + ".jsonl", kLargestJournal);
    if (journal) {
      add(member_name(name, ".jsonl"), "the journal of a run", std::move(*journal));
    } else {
      leave_out(fmt::format("the journal of {}", name), journal.error().message);
    }
    auto plan = call_.world.read_file(folder + run + ".plan.json", kLargestJournal);
    if (plan && read_plan(*plan, run)) {
      add(member_name(name, ".plan.json"), "the plan of that run", std::move(*plan));
    } else {
      leave_out(fmt::format("the plan of {}", name), plan ? "it is not as gpup writes it" : plan.error().message);
    }
  }

  /// A name that is too long for an archive, or leads out of its folder, is a number.
  std::string member_name(const std::string& run, std::string_view extension) const {
    std::string name = fmt::format("journal/{}{}", run, extension);
    return name.size() <= Tar::kLongestName && is_plain(name) ? name
                                                              : fmt::format("journal/{}{}", files_.size(), extension);
  }

  void put_pseudonyms() {
    Pseudonyms names(words_of_formats());
    std::vector<BundleFile> kept;
    kept.reserve(files_.size());
    for (BundleFile& file : files_) {
      if (names.learn(file.text)) {
        kept.push_back(std::move(file));
      } else {
        leave_out(file.name, "names cannot be found in what is no JSON");
      }
    }
    files_.clear();
    for (BundleFile& file : kept) {
      if (auto text = names.write(file.text)) {
        files_.push_back({std::move(file.name), std::move(file.what), std::move(*text)});
      } else {
        leave_out(file.name, "names cannot be found in what is no JSON");
      }
    }
    for (BundleGap& gap : gaps_) {
      gap.why = names.text(gap.why);
    }
  }

  const Call& call_;
  bool pseudonyms_;
  std::vector<BundleFile> files_;
  std::vector<BundleGap> gaps_;
};

}  // namespace

int run_bundle(const Call& call) {
  const std::string path(call.line.value("out").value_or(""));
  Bundle bundle(call);
  if (const auto gathered = bundle.gather(); !gathered) {
    return cannot_work(call, gathered.error());
  }
  if (const auto written = bundle.write(path); !written) {
    return give_up(call, written.error(), Code::kCannotWrite);
  }
  call.world.out().write(bundle.listing(path));
  return kExitDone;
}

}  // namespace gpup
