#include "adapters/agent_wire.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace gpup {

namespace {

std::uint32_t byte(char c) { return static_cast<std::uint8_t>(c); }

/// The character at the start of valid UTF-8 beyond ASCII, which it takes away.
std::uint32_t take_character(std::string_view& text) {
  const std::uint32_t lead = byte(text.front());
  const std::size_t size = std::min<std::size_t>(lead < 0xe0 ? 2U : lead < 0xf0 ? 3U : 4U, text.size());
  std::uint32_t code = lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    code = (code << 6U) | (byte(text[i]) & 0x3fU);
  }
  text.remove_prefix(size);
  return code;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t three = byte(bytes[0]) << 16U;
    three |= bytes.size() > 1 ? byte(bytes[1]) << 8U : 0U;
    three |= bytes.size() > 2 ? byte(bytes[2]) : 0U;
    text += kDigits[three >> 18U];
    text += kDigits[(three >> 12U) & 0x3fU];
    text += bytes.size() > 1 ? kDigits[(three >> 6U) & 0x3fU] : '=';
    text += bytes.size() > 2 ? kDigits[three & 0x3fU] : '=';
  }
  return text;
}

}  // namespace

std::string ascii_json(std::string_view json) {
  std::string ascii;
  ascii.reserve(json.size() + 16);
  while (!json.empty()) {
    const auto beyond = std::find_if(json.begin(), json.end(), [](char c) { return byte(c) >= 0x80; });
    const auto plain = static_cast<std::size_t>(beyond - json.begin());
    ascii.append(json.substr(0, plain));
    json.remove_prefix(plain);
    if (json.empty()) {
      break;
    }
    std::uint32_t code = take_character(json);
    if (code > 0xffff) {
      code -= 0x10000;
      fmt::format_to(std::back_inserter(ascii), "\\u{:04x}", 0xd800 + (code >> 10U));
      code = 0xdc00 + (code & 0x3ffU);
    }
    fmt::format_to(std::back_inserter(ascii), "\\u{:04x}", code);
  }
  return ascii;
}

std::string frame(std::string_view json) {
  const std::string ascii = ascii_json(json);
  return fmt::format("{}:{}\n", ascii.size(), ascii);
}

std::string script_lines(std::string_view script) {
  constexpr std::size_t kLine = 750;  // 1000 characters of base64
  std::string lines;
  lines.reserve(script.size() / 3 * 4 + script.size() / kLine + 8);
  for (; !script.empty(); script.remove_prefix(std::min(kLine, script.size()))) {
    lines += base64(script.substr(0, kLine));
    lines += '\n';
  }
  lines += ".\n";
  return lines;
}

std::string encoded_command(std::string_view script) {
  std::string wide;
  wide.reserve(script.size() * 2);
  for (const char c : script) {
    wide += c;
    wide += '\0';
  }
  return base64(wide);
}

void keep_end(std::string& kept, std::string_view more, std::size_t most) {
  if (more.size() >= most) {
    kept = more.substr(more.size() - most);
    return;
  }
  // Only now and then: moving the whole of it for every few bytes would cost.
  if (kept.size() + more.size() > 2 * most) {
    kept.erase(0, kept.size() + more.size() - most);
  }
  kept += more;
}

ReplyReader::ReplyReader(std::string_view nonce, std::uint64_t largest)
    : marker_(fmt::format("gpup-{} ", nonce)), largest_(largest) {}

bool ReplyReader::feed(std::string_view bytes, std::vector<std::string>& replies) {
  while (!bytes.empty() && !trouble_) {
    switch (state_) {
      case State::kNoise:
        bytes = skip_noise(bytes);
        break;
      case State::kLength:
        bytes = take_length(bytes);
        break;
      case State::kBody:
        bytes = take_body(bytes);
        break;
      case State::kEnd:
        bytes = take_end(bytes, replies);
        break;
    }
  }
  return !trouble_;
}

void ReplyReader::keep_noise(std::string_view bytes) {
  keep_end(noise_, bytes, kKeptNoise);
  noise_since_reply_ += bytes.size();
  if (noise_since_reply_ > kLargestNoise && !trouble_) {
    trouble_ = Trouble::kNoise;
  }
}

std::string_view ReplyReader::skip_noise(std::string_view bytes) {
  // 'g' stands at the marker's start only, so what does not go on as the marker can begin one at the earliest here.
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (matched_ == 0) {
      at = std::min(bytes.find(marker_.front(), at), bytes.size());
      if (at == bytes.size()) {
        break;
      }
    }
    if (bytes[at] == marker_[matched_]) {
      ++at;
      if (++matched_ == marker_.size()) {
        keep_noise(bytes.substr(0, at - std::min(at, matched_)));
        matched_ = 0;
        length_ = 0;
        digits_ = 0;
        state_ = State::kLength;
        return bytes.substr(at);
      }
    } else {
      if (matched_ > at) {  // it began in an earlier piece
        keep_noise(std::string_view(marker_).substr(0, matched_ - at));
      }
      matched_ = 0;
    }
  }
  keep_noise(bytes.substr(0, at - std::min(at, matched_)));
  return {};
}

std::string_view ReplyReader::take_length(std::string_view bytes) {
  constexpr std::size_t kMostDigits = 18;
  while (!bytes.empty()) {
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (c == ':' && digits_ > 0) {
      if (length_ > largest_) {
        trouble_ = Trouble::kTooLarge;
      }
      body_.clear();
      state_ = State::kBody;
      return bytes;
    }
    if (c < '0' || c > '9' || ++digits_ > kMostDigits) {
      trouble_ = Trouble::kBroken;
      return {};
    }
    length_ = length_ * 10 + (byte(c) - '0');
  }
  return bytes;
}

std::string_view ReplyReader::take_body(std::string_view bytes) {
  const std::size_t count = std::min<std::uint64_t>(length_ - body_.size(), bytes.size());
  const std::string_view piece = bytes.substr(0, count);
  if (piece.find('\n') != std::string_view::npos) {
    trouble_ = Trouble::kBroken;  // it ends before it is as long as it says
    return {};
  }
  body_ += piece;
  if (body_.size() == length_) {
    carriage_return_ = false;
    state_ = State::kEnd;
  }
  return bytes.substr(count);
}

std::string_view ReplyReader::take_end(std::string_view bytes, std::vector<std::string>& replies) {
  const char c = bytes.front();
  if (c == '\r' && !carriage_return_) {
    carriage_return_ = true;
  } else if (c == '\n') {
    replies.push_back(std::exchange(body_, {}));
    noise_since_reply_ = 0;
    state_ = State::kNoise;
  } else {
    trouble_ = Trouble::kBroken;
  }
  return bytes.substr(1);
}

}  // namespace gpup
