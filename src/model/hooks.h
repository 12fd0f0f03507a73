#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpup {

/// When a hook is run: before a VM is stopped, after it was started, or where a run, or what it did to a VM, did not
/// end well.
enum class HookKind : std::uint8_t { kBefore, kAfter, kOnFailure };
inline constexpr std::size_t kHookKinds = 3;
std::string_view to_string(HookKind kind);  ///< `on-failure`
std::optional<HookKind> parse_hook_kind(std::string_view text);

/// The programs that are run around stops and starts, on the machine where gpup runs: a program and its arguments each,
/// never for a shell; empty where there is none. A program without a slash is looked for in PATH; a relative path is
/// relative to the working folder (files name it relative to themselves; reading a file joins the two).
struct HookPolicy {
  static constexpr std::size_t kMostWords = 64;
  static constexpr std::size_t kLongestWord = 4096;  ///< bytes

  std::vector<std::string> before;
  std::vector<std::string> after;
  std::vector<std::string> on_failure;
  std::chrono::seconds timeout{300};  ///< how long each may take

  const std::vector<std::string>& of(HookKind kind) const;
  bool any() const { return !before.empty() || !after.empty() || !on_failure.empty(); }
  bool operator==(const HookPolicy&) const = default;
};

/// The words of a hook as they are shown: those that are not plain stand in quotes. Unescaped.
std::string hook_words(const std::vector<std::string>& argv);

}  // namespace gpup
