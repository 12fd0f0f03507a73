// write_pages FOLDER VERSION DATE: writes the manual pages to FOLDER/man1 and the completion scripts to
// FOLDER/completions. Both folders are there.
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "cli/completion.h"
#include "cli/man_page.h"

namespace {

bool write(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    std::cerr << "cannot write " << path << '\n';
  }
  return file.good();
}

bool write_all(const std::string& folder, const gpup::PageEdition& edition) {
  bool written = write(folder + "/man1/gpup.1", gpup::render_man_page(edition));
  for (const gpup::Command& command : gpup::commands()) {
    written = write(folder + "/man1/" + gpup::man_page_name(command) + ".1", gpup::render_man_page(edition, command)) &&
              written;
  }
  for (const std::string_view shell : {"bash", "zsh", "fish"}) {
    written = write(folder + "/completions/" + std::string(shell), gpup::render_completion(shell)) && written;
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: write_pages FOLDER VERSION DATE\n";
    return 64;
  }
  return write_all(argv[1], {argv[2], argv[3]}) ? 0 : 1;
}
