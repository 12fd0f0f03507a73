#include "bench/floors.h"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

namespace gpup::bench {

namespace {

class Counter : public YAML::EventHandler {
 public:
  std::uint64_t seen = 0;

  void OnDocumentStart(const YAML::Mark&) override { ++seen; }
  void OnDocumentEnd() override { ++seen; }
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { ++seen; }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override { ++seen; }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string& value) override {
    seen += value.size();
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    ++seen;
  }
  void OnSequenceEnd() override { ++seen; }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override { ++seen; }
  void OnMapEnd() override { ++seen; }
};

namespace od = simdjson::ondemand;

std::uint64_t walk(od::value value) {
  std::uint64_t seen = 1;
  switch (value.type()) {
    case od::json_type::array:
      for (auto element : value.get_array()) {
        seen += walk(element.value());
      }
      break;
    case od::json_type::object:
      for (auto field : value.get_object()) {
        seen += static_cast<std::string_view>(field.unescaped_key()).size();
        seen += walk(field.value());
      }
      break;
    case od::json_type::string:
      seen += static_cast<std::string_view>(value.get_string()).size();
      break;
    case od::json_type::number:
      seen += static_cast<std::uint64_t>(value.get_uint64());
      break;
    case od::json_type::boolean:
      seen += static_cast<bool>(value.get_bool()) ? 1 : 0;
      break;
    case od::json_type::null:
      break;
  }
  return seen;
}

}  // namespace

std::uint64_t parse_yaml(const std::vector<std::string>& files) {
  Counter counter;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(counter)) {
    }
  }
  return counter.seen;
}

std::uint64_t walk_json(const std::string& file) {
  const simdjson::padded_string text = simdjson::padded_string::load(file);
  od::parser parser;
  od::document document = parser.iterate(text);
  return walk(document.get_value());
}

std::uint64_t write_bytes(const std::string& file, std::uint64_t size) {
  constexpr std::uint64_t kChunk = 128ULL * 1024;
  const std::string chunk(kChunk, 'x');
  const std::string temporary = file + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  for (std::uint64_t left = size; left > 0;) {
    const ssize_t put = ::write(fd, chunk.data(), std::min(left, kChunk));
    if (put <= 0) {
      ::close(fd);
      return 0;
    }
    left -= static_cast<std::uint64_t>(put);
  }
  const bool kept = ::fsync(fd) == 0 && ::close(fd) == 0 && std::rename(temporary.c_str(), file.c_str()) == 0;
  return kept ? size : 0;
}

}  // namespace gpup::bench
