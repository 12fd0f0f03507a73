#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpup {

/// Compares ASCII letters without case, other bytes exactly: host names, GUIDs and GPU names.
bool same_name(std::string_view a, std::string_view b);

/// ASCII letters in lower case; other bytes as they are.
std::string fold_case(std::string_view text);

/// Where the first byte stands that is not valid UTF-8, if there is one.
std::optional<std::size_t> invalid_utf8_at(std::string_view text);

/// Text from outside, made safe for a terminal or a log line: control characters (C0, C1, DEL), line and
/// paragraph separators, format characters (zero-width ones and direction marks among them) and invalid bytes become
/// `\u{1b}` or `\x{ff}`; so does
/// the first character of what a CI's runner would take for a command (`::` in front, `##vso[` and `##[`). The rest is
/// unchanged.
std::string escape_terminal(std::string_view text);

/// True where a CI log could take what begins here for a command to its runner: `::` where a line may begin (`first`),
/// `##vso[` and `##[` anywhere.
bool commands_a_log(std::string_view rest, bool first);

/// Text from outside without the passwords of addresses in it: `ssh://bob:(hidden)@hv-1`.
std::string hide_passwords(std::string_view text);

/// True for text of which `escape_terminal` would surely change nothing: printable ASCII that commands no log.
bool is_plain(std::string_view text);

/// What tells a GPU from its neighbours of the same model: the last part of the instance id in a device's path,
/// `4&18416dc3&0&0000`; the name itself where it has no such part.
std::string_view short_gpu_name(std::string_view name);

// ASCII's alone.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Words longer than this are not worth a guess with `nearest`, which takes time by the square of their length.
inline constexpr std::size_t kLongestGuess = 64;

/// The one of `known` that is nearest to `word` by edit distance, if it is near enough to be
/// a likely slip (a third of its length, at least 1).
std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& known);

/// How many columns of a terminal the text takes: 0 for combining and zero-width characters, 2 for wide ones
/// (East Asian, emoji), 1 for the rest, invalid bytes included.
std::size_t display_width(std::string_view text);

/// `3648 MiB`, `1.5 GiB`, `15918030848 B`: exact, in the largest unit that needs no more than a half, never rounded.
std::string human_size(std::uint64_t bytes);

/// `0.4 s`, `30 s`, `1 min 34 s`, `2 h 5 min`: tenths below a minute, seconds below an hour; cut, not rounded.
std::string human_time(std::uint64_t milliseconds);

}  // namespace gpup
