#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gpup::bench {

// What can not be avoided, each as a program of its own would do it. They return how much they saw, so that nothing is
// optimised away.

/// Y: yaml-cpp's events of the files, received and dropped.
std::uint64_t parse_yaml(const std::vector<std::string>& files);

/// J: simdjson's On-Demand walk of the file: every member, string and number is looked at.
std::uint64_t walk_json(const std::string& file);

/// W: as many bytes written as a plan has, in the chunks and with the flush to disk and the rename that gpup does.
std::uint64_t write_bytes(const std::string& file, std::uint64_t size);

}  // namespace gpup::bench
