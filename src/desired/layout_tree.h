#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gpup {

// A file as somebody wrote it: what it says, how each value is spelled, and where its comments belong.

/// Lines that begin with `#`; an empty one is an empty line between two of them.
using Comments = std::vector<std::string>;

struct LaidItem;

struct LaidNode {
  enum class Kind : std::uint8_t { kScalar, kList, kMapping };
  Kind kind = Kind::kScalar;
  bool flow = false;       ///< written in brackets
  std::size_t at = 0;      ///< offset of its first character
  std::size_t column = 0;  ///< of a list or mapping that is not in brackets: where its lines begin, from 0
  std::string text;        ///< a scalar: what it says
  std::string written;     ///< a scalar: how it is spelled on one line; of a block text its mark, `|-`
  Comments block;          ///< the lines of a block text, without their indentation
  std::vector<LaidItem> items;
  Comments below;  ///< comments after the last item
};

/// A key with its value, or an entry of a list.
struct LaidItem {
  std::string key;  ///< empty: an entry
  LaidNode value;
  Comments above;
  bool space_above = false;
  std::string beside;  ///< a comment on its line, with the spaces before it

  // For placing comments.
  std::size_t at = 0;
  LaidItem* parent = nullptr;
  LaidNode* in = nullptr;
};

struct LaidDocument {
  Comments head;  ///< what stands above the whole document
  LaidNode root;
  std::size_t at = 0;
};

struct LaidFile {
  std::vector<LaidDocument> documents;
  Comments comments;  ///< all of them, sorted
};

/// Why a text has no tree.
struct NoLayout {
  std::size_t at = 0;  ///< the offset
  std::string message;
  std::string hint;
};

/// The tree of a text that was found to be right, without a byte order mark, its lines ended by line feeds.
tl::expected<LaidFile, NoLayout> read_layout(std::string_view text);

}  // namespace gpup
