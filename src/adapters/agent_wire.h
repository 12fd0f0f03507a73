#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpup {

// How requests and replies look on the way. Everything is ASCII, whatever encoding a console of the far side has.
//
//   request  LENGTH:JSON\n
//   reply    gpup-NONCE LENGTH:JSON\n      anything may stand before the marker; what has none is noise

/// The same JSON with everything beyond ASCII as `\u` escapes.
std::string ascii_json(std::string_view json);

/// One request as it goes out.
std::string frame(std::string_view json);

/// A script as lines of base64, at most 1000 characters each, closed by a line `.`.
std::string script_lines(std::string_view script);

/// ASCII text as -EncodedCommand takes it: base64 of UTF-16, little-endian.
std::string encoded_command(std::string_view script);

/// Takes what an agent prints, in pieces of any size, and finds the replies in it. Keeps the end of the noise for
/// diagnosis; its memory is bounded, and so is the noise between two replies.
class ReplyReader {
 public:
  static constexpr std::size_t kLargestNoise = std::size_t{1024} * 1024;  ///< between two replies
  static constexpr std::size_t kKeptNoise = std::size_t{32} * 1024;       ///< at most twice as much is held

  /// Why nothing more can be read.
  enum class Trouble : std::uint8_t {
    kNoise,     ///< too much that is no reply
    kTooLarge,  ///< a reply that says to be larger than `largest`
    kBroken,    ///< a reply that is not as long as it says, or has no length
  };

  /// `nonce`: lower-case hex digits.
  ReplyReader(std::string_view nonce, std::uint64_t largest);

  /// Appends the JSON of each reply that is complete to `replies`. False once there is trouble: nothing is read any
  /// more.
  bool feed(std::string_view bytes, std::vector<std::string>& replies);

  std::optional<Trouble> trouble() const { return trouble_; }
  /// The end of what came and was no reply.
  const std::string& noise() const { return noise_; }

 private:
  enum class State : std::uint8_t { kNoise, kLength, kBody, kEnd };

  std::string_view skip_noise(std::string_view bytes);
  std::string_view take_length(std::string_view bytes);
  std::string_view take_body(std::string_view bytes);
  std::string_view take_end(std::string_view bytes, std::vector<std::string>& replies);
  void keep_noise(std::string_view bytes);

  std::string marker_;
  std::uint64_t largest_;
  State state_ = State::kNoise;
  std::optional<Trouble> trouble_;
  std::string noise_;
  std::size_t noise_since_reply_ = 0;
  std::size_t matched_ = 0;  ///< how much of a marker came last
  std::uint64_t length_ = 0;
  std::size_t digits_ = 0;
  bool carriage_return_ = false;
  std::string body_;
};

/// Adds to a text of which only the end is kept.
void keep_end(std::string& kept, std::string_view more, std::size_t most);

}  // namespace gpup
