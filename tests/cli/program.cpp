#include "cli/program.h"

#include <filesystem>
#include <fstream>
#include <random>

#include "files.h"

namespace gpup::test {

namespace fs = std::filesystem;

Folder::Folder() {
  std::random_device random;
  fs::path path;
  do {
    path = fs::temp_directory_path() / ("gpup-cli-" + std::to_string(random()));
  } while (!fs::create_directory(path));
  fs::permissions(path, fs::perms::owner_all);
  path_ = path.generic_string();
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void Folder::write(const std::string& name, std::string_view text) const {
  const fs::path path = fs::path(path_) / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string Folder::read(const std::string& name) const { return read_text(path_ + "/" + name); }

bool Folder::has(const std::string& name) const { return fs::exists(fs::path(path_) / name); }

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool any = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any) {
        words.push_back(word);
      }
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) {
    words.push_back(word);
  }
  return words;
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

const std::string_view kDesired =
    "apiVersion: gpup/v1\n"
    "kind: GpuPartitioning\n"
    "metadata:\n"
    "  name: lab\n"
    "hosts:\n"
    "  - name: hv-1\n"
    "    connect: { transport: simulated, file: lab.json }\n"
    "gpus:\n"
    "  - model: NVIDIA A2\n"
    "    partitionCount: 4\n"
    "assignments:\n"
    "  - vm: vdi-01\n";

#define GPUP_LAB(count, vram, state, partitions)                                                                      \
  "{\"apiVersion\": \"gpup/v1\", \"kind\": \"Snapshot\", \"takenAt\": \"2026-11-22T08:41:00Z\", \"cluster\": null,\n" \
  " \"hosts\": [{\"name\": \"hv-1\", \"build\": 25398, \"edition\": \"azure-stack-hci\", \"reachable\": true,\n"      \
  "  \"gpus\": [{\"name\": \"\\\\\\\\?\\\\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&18416dc3&0&0000#{064092b3-"  \
  "625e-43bf-9eb5-dc845897dd59}\",\n"                                                                                 \
  "    \"model\": \"NVIDIA A2\", \"device\": \"10de:25b6\", \"subsystem\": \"157e10de\", \"status\": "                \
  "\"partitioned\",\n"                                                                                                \
  "    \"validPartitionCounts\": [16, 8, 4, 2, 1], \"partitionCount\": " count                                        \
  ", \"totalVram\": 15918030848,\n"                                                                                   \
  "    \"availableVram\": 15918030848, \"partitionVram\": " vram                                                      \
  ", \"partitionEncode\": 2,\n"                                                                                       \
  "    \"partitionDecode\": 1, \"partitionCompute\": 128}],\n"                                                        \
  "  \"vms\": [{\"name\": \"vdi-01\", \"id\": \"711cee18-60db-43b4-be7e-cedce5e25dd0\", \"state\": \"" state          \
  "\",\n"                                                                                                             \
  "    \"clustered\": false, \"generation\": 2, \"offlineAction\": null, \"partitions\": [" partitions "]}]}]}\n"

const std::string_view kLab = GPUP_LAB("16", "939524096", "Off", "");
const std::string_view kDoneLab = GPUP_LAB(
    "4", "3825205248", "Off",
    "{\"id\": \"a2b5b4b1-24b6-49b6-97e1-fbaf8ba0af9b\", \"gpu\": null, \"partitionId\": null, \"vram\": null}");

std::string as_running(std::string_view lab) {
  constexpr std::string_view kOff = "\"state\": \"Off\"";
  std::string text(lab);
  return text.replace(text.find(kOff), kOff.size(), "\"state\": \"Running\"");
}

}  // namespace gpup::test
