#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

// Not a fuzzer, but enough to notice a target that its seeds no longer reach: each seed whole, cut off, and with a
// byte turned at a few places.
void run_damaged(const std::string& seed) {
  run(seed);
  for (std::size_t part = 0; part < 16; ++part) {
    const std::size_t at = seed.size() * part / 16;
    run(seed.substr(0, at));
    std::string turned = seed;
    if (at < turned.size()) {
      turned[at] = static_cast<char>(turned[at] ^ 0x15);
      run(turned);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  int seeds = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) {
        std::ifstream file(entry.path(), std::ios::binary);
        run_damaged(std::string(std::istreambuf_iterator<char>(file), {}));
        ++seeds;
      }
    }
  }
  std::printf("%d seeds\n", seeds);
  return seeds > 0 ? 0 : 1;
}
