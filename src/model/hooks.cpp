#include "model/hooks.h"

#include <algorithm>

#include "base/json_writer.h"

namespace gpup {

std::string_view to_string(HookKind kind) {
  switch (kind) {
    case HookKind::kBefore:
      return "before";
    case HookKind::kAfter:
      return "after";
    case HookKind::kOnFailure:
      return "on-failure";
  }
  return "";
}

std::optional<HookKind> parse_hook_kind(std::string_view text) {
  for (const HookKind kind : {HookKind::kBefore, HookKind::kAfter, HookKind::kOnFailure}) {
    if (to_string(kind) == text) {
      return kind;
    }
  }
  return std::nullopt;
}

const std::vector<std::string>& HookPolicy::of(HookKind kind) const {
  switch (kind) {
    case HookKind::kBefore:
      return before;
    case HookKind::kAfter:
      return after;
    case HookKind::kOnFailure:
      break;
  }
  return on_failure;
}

std::string hook_words(const std::vector<std::string>& argv) {
  const auto plain = [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           std::string_view("-_./:=@%+,").find(letter) != std::string_view::npos;
  };
  std::string words;
  for (const std::string& word : argv) {
    words += words.empty() ? "" : " ";
    if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) {
      words += word;
    } else {
      append_json_string(words, word);
    }
  }
  return words;
}

}  // namespace gpup
