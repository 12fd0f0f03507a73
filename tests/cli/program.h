#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gpup::test {

/// A folder of its own, removed in the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view text) const;
  std::string read(const std::string& name) const;
  bool has(const std::string& name) const;

 private:
  std::string path_;
};

/// What a run of the program gave.
struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

/// Runs the program in a folder, without a terminal, and waits for it. `out_path` replaces stdout (`/dev/full`).
Ended run_gpup(const Folder& folder, const std::vector<std::string>& arguments, std::string_view in = {},
               const std::string& out_path = {});

/// A command line as an example writes it: words divided by spaces, single quotes keep them.
std::vector<std::string> split_words(std::string_view line);

/// Text up to the first end of line.
std::string first_line(std::string_view text);

// A small world: one host, one card with partition count 16, one VM that is off and holds nothing.
extern const std::string_view kDesired;  ///< wants count 4 and a partition for vdi-01
extern const std::string_view kLab;

/// kLab, as it is once kDesired was applied.
extern const std::string_view kDoneLab;

/// A lab with its VM running.
std::string as_running(std::string_view lab);

}  // namespace gpup::test
