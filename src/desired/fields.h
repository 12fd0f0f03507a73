#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/place.h"
#include "desired/draft.h"
#include "desired/mistakes.h"

namespace gpup {

// The file format as a table: a mapping is a list of fields, a field says its key, what it must be, and how its
// value is decoded and where it goes. Unknown and repeated keys, wrong kinds and suggestions are written once,
// where the events of the parser are followed (`file_reader.cpp`).

struct Field;
struct Mapping;

/// One scalar of a file.
struct Scalar {
  std::string_view text;
  Place place;
  bool plain = true;  ///< neither quoted nor a block text
  bool null = false;  ///< unquoted `null` or `~`
};

/// What decoding writes to.
struct Reading {
  Reading(Draft& into, Mistakes& found, std::uint32_t of_file, std::string in_folder)
      : draft(into), mistakes(found), file(of_file), folder(std::move(in_folder)) {}

  Draft& draft;
  Mistakes& mistakes;
  std::uint32_t file;
  std::string folder;  ///< of the file: what its paths are relative to

  // The line that is being read.
  std::string document_name;
  DesiredHost host;
  DesiredGpu gpu;
  std::vector<Place> gpu_hosts_at;
  DesiredAssignment assignment;
  std::uint32_t assignment_host = 0;
  DesiredOverride override_line;
  DesiredDisruption::Group group;
  Window window;
  DesiredIgnore ignore;
};

inline constexpr std::size_t kMostFields = 12;

/// A mapping or list that is open.
struct Frame {
  const Mapping* mapping = nullptr;  ///< nullptr: a list
  const Field* list = nullptr;       ///< of a list: the field that holds it
  void* target = nullptr;
  Place at;
  std::uint32_t seen = 0;      ///< a bit a field: its key was there
  std::uint32_t good = 0;      ///< its value, too, and it was right
  std::uint32_t meant = 0;     ///< an unknown key was close to it
  std::uint32_t entries = 0;   ///< of a list
  std::size_t open_field = 0;  ///< the field whose list or mapping is open
  bool flow = false;
  std::size_t mistakes_before = 0;
  std::array<Place, kMostFields> key_at;
  std::array<Place, kMostFields> value_at;

  bool has(std::size_t field) const { return (seen >> field & 1U) != 0; }
  bool has_good(std::size_t field) const { return (good >> field & 1U) != 0; }
  /// The key, or what was probably meant to be it.
  bool tried(std::size_t field) const { return ((seen | meant) >> field & 1U) != 0; }
};

enum class Shape : std::uint8_t { kScalar, kScalars, kMapping, kMappings };

struct Field {
  std::string_view key;
  std::string_view expected;  ///< completes "'key' must be ..."
  Shape shape = Shape::kScalar;
  /// Decodes a scalar (or each of a list) into `target`, the object that the mapping fills; false once it said why not.
  bool (*decode)(Reading&, const Field&, const Scalar&, void* target) = nullptr;
  const Mapping* mapping = nullptr;  ///< of kMapping and kMappings
  bool may_be_empty = true;          ///< a list
  bool required = false;
  std::string_view each = "a mapping";  ///< of a list: what an entry must be
};

struct Mapping {
  std::string_view name;  ///< completes "... is missing in"
  std::span<const Field> fields;
  /// What the fields are written to, given what the mapping around it writes to.
  void* (*begin)(Reading&, void* parent) = nullptr;
  /// Checks the keys against each other and keeps what was read.
  void (*end)(Reading&, const Frame&) = nullptr;
};

/// A document: the root of the table.
extern const Mapping kDocument;

}  // namespace gpup
