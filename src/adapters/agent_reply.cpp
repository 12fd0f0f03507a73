#include "adapters/agent_reply.h"

#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include "observed/json_reader.h"
#include "observed/read_snapshot.h"

namespace gpup {

namespace {

constexpr std::uint64_t kMostId = std::numeric_limits<std::int64_t>::max();

/// A string as it is, a number or word as it is written, `null` as nothing. What has members is passed over.
bool take_text(JsonReader& json, std::string& to) {
  switch (json.peek()) {
    case '"':
      if (const auto text = json.string()) {
        to = *text;
      }
      return !json.dead();
    case '{':
    case '[':
      return json.skip();
    default:
      if (json.null()) {
        return true;
      }
      if (json.peek() != '\0') {
        to = json.raw();
      }
      return json.skip();
  }
}

template <std::string AgentError::*Text>
bool text(JsonReader& json, AgentError& error) {
  return take_text(json, error.*Text);
}

bool read_holder(JsonReader& json, AgentError& error) {
  static constexpr std::array<Member<JsonReader, AgentError>, 4> kMembers{{
      {"host", false, text<&AgentError::holder_host>},
      {"process", false, text<&AgentError::holder_process>},
      {"user", false, text<&AgentError::holder_user>},
      {"since", false, text<&AgentError::holder_since>},
  }};
  return json.null() || json.object(kMembers, json, error, "a holder");
}

bool read_hresult(JsonReader& json, AgentError& error) {
  if (json.null()) {
    return true;
  }
  if (json.peek() != '-' && (json.peek() < '0' || json.peek() > '9')) {
    return json.wrong_type("a whole number");
  }
  const std::string_view digits = json.raw();
  std::int64_t value = 0;
  const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (wrong == std::errc{} && end == digits.data() + digits.size()) {
    error.hresult = value;
  }
  return json.skip();
}

bool read_performed(JsonReader& json, AgentError& error) {
  error.performed = json.boolean().value_or(true);
  return !json.dead();
}

bool read_error(JsonReader& json, AgentReply& reply) {
  static constexpr std::array<Member<JsonReader, AgentError>, 11> kMembers{{
      {"reason", true, text<&AgentError::reason>},
      {"errorId", false, text<&AgentError::error_id>},
      {"category", false, text<&AgentError::category>},
      {"hresult", false, read_hresult},
      {"message", false, text<&AgentError::message>},
      {"performed", false, read_performed},
      {"holder", false, read_holder},
      {"fact", false, text<&AgentError::fact>},
      {"expected", false, text<&AgentError::expected>},
      {"found", false, text<&AgentError::found>},
      {"cmdlet", false, text<&AgentError::cmdlet>},
  }};
  return json.null() || json.object(kMembers, json, reply.error, "an error");
}

bool read_id(JsonReader& json, AgentReply& reply) {
  if (const auto id = json.number(0, kMostId)) {
    reply.id = *id;
  }
  return !json.dead();
}

bool read_ok(JsonReader& json, AgentReply& reply) {
  reply.ok = json.boolean().value_or(false);
  return !json.dead();
}

bool read_result(JsonReader& json, AgentReply& reply) {
  if (json.null()) {
    return true;
  }
  if (json.peek() != '{') {
    return json.wrong_type("an object");
  }
  const char* const begin = json.raw().data();
  if (!json.skip()) {
    return false;
  }
  if (json.peek() != '\0') {  // else it was cut off, which is found next
    reply.result.assign(begin, json.raw().data());
  }
  return true;
}

constexpr std::array<Member<JsonReader, AgentReply>, 4> kReply{{
    {"id", true, read_id},
    {"ok", true, read_ok},
    {"result", false, read_result},
    {"error", false, read_error},
}};

std::string in_words(JsonReader& json) {
  const Diagnostics wrong = json.take_diagnostics();
  return wrong.empty() ? std::string("it is not JSON") : wrong.front().message;
}

}  // namespace

tl::expected<AgentReply, std::string> read_reply(std::string json_text) {
  JsonReader json(std::move(json_text), "reply", kLargestReply);
  AgentReply reply;
  std::uint64_t present = 0;
  constexpr std::uint64_t kResult = 4;
  constexpr std::uint64_t kError = 8;
  const bool whole = json.start() && json.object(kReply, json, reply, "a reply", &present) && json.finish();
  if (!whole || json.failed()) {
    return tl::unexpected(in_words(json));
  }
  if ((present & (reply.ok ? kResult : kError)) == 0 || (reply.ok && reply.result.empty())) {
    return tl::unexpected(std::string(reply.ok ? "it has no 'result'" : "it has no 'error'"));
  }
  return reply;
}

std::optional<std::uint64_t> number_in(const std::string& result, const std::string& member) {
  struct Sought {
    JsonReader& json;
    std::optional<std::uint64_t> value;
  };
  JsonReader json(result, "reply", kLargestReply);
  Sought sought{json, {}};
  const std::array<Member<Sought, Sought>, 1> members{{{member, false, [](Sought& owner, Sought&) {
                                                          owner.value = owner.json.number(0, kMostId);
                                                          return !owner.json.dead();
                                                        }}}};
  if (!json.start() || !json.object(members, sought, sought, "a result") || json.failed()) {
    return std::nullopt;
  }
  return sought.value;
}

}  // namespace gpup
