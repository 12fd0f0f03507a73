#include "cli/connect_uri.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"

namespace gpup {

namespace {

constexpr std::string_view kForms = "local:, simulated:FILE, ssh://[user@]address[:port] or winrm://address";
constexpr std::array<std::string_view, 4> kSchemes = {"local:", "simulated:", "ssh:", "winrm:"};

bool begins_with_scheme(std::string_view text) {
  return std::any_of(kSchemes.begin(), kSchemes.end(), [&](std::string_view s) { return text.starts_with(s); });
}

tl::unexpected<Error> wrong(std::string message) { return fail(ErrorCode::kBadContent, std::move(message)); }

/// Control characters and spaces have no place in a name, a user or an address.
bool plain(std::string_view text) {
  return !text.empty() && text.front() != '-' && escape_terminal(text) == text && !invalid_utf8_at(text) &&
         text.find(' ') == std::string_view::npos;
}

struct Authority {
  std::string user;
  std::string address;
  std::optional<std::uint16_t> port;
};

Result<std::optional<std::uint16_t>> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    return wrong(fmt::format("port '{}' is not a whole number from 1 to 65535", text));
  }
  return std::optional(port);
}

Result<Authority> parse_authority(std::string_view text) {
  Authority authority;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    authority.user = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (authority.user.find(':') != std::string::npos) {
      return wrong("no password stands in a URI: an SSH agent or key file, or your own session, proves who you are");
    }
    if (!plain(authority.user)) {
      return wrong(fmt::format("'{}' is not a user", authority.user));
    }
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    const std::string_view after = close == std::string_view::npos ? text : text.substr(close + 1);
    if (close == std::string_view::npos || (!after.empty() && after.front() != ':')) {
      return wrong(fmt::format("'{}' is not an address in brackets", text));
    }
    port = after;
    authority.address = text.substr(1, close - 1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
      return wrong(fmt::format("an IPv6 address stands in brackets: [{}]", text));
    }
    port = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    authority.address = text.substr(0, colon);
  }
  if (!plain(authority.address) || authority.address.find('/') != std::string::npos) {
    return wrong(fmt::format("'{}' is not an address", authority.address));
  }
  if (!port.empty()) {
    auto number = parse_port(port.substr(1));
    if (!number) {
      return tl::unexpected<Error>(number.error());
    }
    authority.port = *number;
  }
  return authority;
}

Result<Connect> parse_uri(std::string_view uri) {
  Connect connect;
  if (uri == "local:") {
    connect.transport = Transport::kLocal;
    return connect;
  }
  if (uri.starts_with("simulated:")) {
    connect.transport = Transport::kSimulated;
    connect.file = uri.substr(std::string_view("simulated:").size());
    if (connect.file.empty()) {
      return wrong("'simulated:' needs a FILE, the lab");
    }
    return connect;
  }
  const bool ssh = uri.starts_with("ssh://");
  if (!ssh && !uri.starts_with("winrm://")) {
    return wrong(fmt::format("'{}' is not one of {}", uri, kForms));
  }
  auto authority = parse_authority(uri.substr(uri.find("//") + 2));
  if (!authority) {
    return tl::unexpected<Error>(authority.error());
  }
  if (!ssh && !authority->user.empty()) {
    return wrong("'winrm://' takes no user: it uses your own session");
  }
  connect.transport = ssh ? Transport::kSsh : Transport::kPsRemoting;
  connect.address = authority->address;
  connect.user = authority->user;
  connect.port = authority->port;
  return connect;
}

}  // namespace

Result<ConnectUri> parse_connect(std::string_view text) {
  ConnectUri parsed;
  const std::size_t equals = text.find('=');
  if (equals != std::string_view::npos && !begins_with_scheme(text)) {
    parsed.target.name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    if (parsed.target.name.empty() || escape_terminal(parsed.target.name) != parsed.target.name) {
      return wrong("the NAME before '=' is not a host name");
    }
  }
  auto connect = parse_uri(text);
  if (!connect) {
    return tl::unexpected<Error>(connect.error());
  }
  parsed.target.connect = *connect;
  if (parsed.target.name.empty() && connect->transport != Transport::kSimulated) {
    parsed.target.name = connect->transport == Transport::kLocal ? "localhost" : connect->address;
  }
  return parsed;
}

}  // namespace gpup
