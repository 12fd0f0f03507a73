#include "adapters/agent_session.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "adapters/agent_launch.h"
#include "adapters/agent_script.h"
#include "adapters/pretended_agent.h"
#include "adapters/said.h"

namespace gpup {

namespace {

using Clock = std::chrono::steady_clock;
using Mode = AgentSession::Mode;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLong(60);
constexpr seconds kShort(1);

Result<std::shared_ptr<AgentSession>> opened(const TemporaryFolder& folder, const std::string& body,
                                             seconds bound = kLong) {
  const HostTarget host = pretended_host(pretended_agent(folder, body));
  const auto launch = launch_of(host, bound, agent_bootstrap());
  REQUIRE(launch);
  return AgentSession::open(host, *launch, agent_script(), Mode::kRead, bound);
}

}  // namespace

TEST_CASE("a session answers request by request") {
  const TemporaryFolder folder;
  const auto session = opened(folder, "hello\nwhile next; do ok $id \"{\\\"op\\\":\\\"$op\\\"}\"; done\n");
  REQUIRE(session);
  CHECK(contains((*session)->hello(), "\"HV-1\""));
  for (const std::string op : {"observe", "doctor", "observe"}) {
    const auto reply = (*session)->request("\"op\":\"" + op + "\"", kLong);
    REQUIRE(reply);
    CHECK(reply->ok);
    CHECK_EQ(reply->result, "{\"op\":\"" + op + "\"}");
  }
  CHECK_FALSE((*session)->ended());
}

TEST_CASE("hello says who asks, for what, and that names stay data") {
  const TemporaryFolder folder;
  HostTarget host = pretended_host(
      pretended_agent(folder, "listen\nprintf '%s' \"$line\" >hello\nok 1 '{\"protocol\":1}'\n"), "hv-\xc3\xa4\"1");
  const auto launch = launch_of(host, kLong, agent_bootstrap());
  REQUIRE(launch);
  REQUIRE(AgentSession::open(host, *launch, agent_script(), Mode::kWrite, kLong));
  const std::string hello = read_text(folder / "hello");
  CHECK(contains(hello, "\"op\":\"hello\""));
  CHECK(contains(hello, "\"mode\":\"write\""));
  CHECK(contains(hello, "\"host\":\"hv-\\u00e4\\\"1\""));
  CHECK(contains(hello, "\"process\":"));
  CHECK(contains(hello, "\"remoting\":null"));
  CHECK_EQ(hello.substr(0, hello.find(':')), std::to_string(hello.size() - hello.find(':') - 1));
}

TEST_CASE("replies find whoever waits for them, in any order") {
  const TemporaryFolder folder;
  const auto session =
      opened(folder,
             "hello\nnext; first=$line; one=$id; next; two=$id; next\n"
             "ok $id \"{\\\"n\\\":$id}\"; ok $two \"{\\\"n\\\":$two}\"; ok $one \"{\\\"n\\\":$one}\"\n");
  REQUIRE(session);
  std::vector<std::thread> threads;
  std::vector<std::string> results(3);
  for (std::string& result : results) {
    threads.emplace_back([&] {
      const auto reply = (*session)->request("\"op\":\"observe\"", kLong);
      result = reply ? reply->result : reply.error().message;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::sort(results.begin(), results.end());
  CHECK(results == std::vector<std::string>{"{\"n\":2}", "{\"n\":3}", "{\"n\":4}"});
}

TEST_CASE("noise, byte order marks, CRLF and replies in pieces are borne") {
  const TemporaryFolder folder;
  const auto session =
      opened(folder,
             "printf '\\xef\\xbb\\xbfWelcome! '; echo '#< CLIXML' >&2\n"
             "ok() { printf 'noise\\r\\n\\0 gpup-%s ' \"$nonce\"; r='{\"id\":'$1',\"ok\":true,\"result\":'$2'}'\n"
             "  printf '%s:' ${#r}; sleep 0.05; printf '%s' \"${r:0:9}\"; sleep 0.05\n"
             "  printf '%s\\r' \"${r:9}\"; sleep 0.05; printf '\\nmore noise'; }\n"
             "hello\nnext; ok $id '{\"a\":1}'; next; ok $id '{\"a\":2}'\nnext\n");
  REQUIRE(session);
  for (const std::string result : {"{\"a\":1}", "{\"a\":2}"}) {
    const auto reply = (*session)->request("\"op\":\"observe\"", kLong);
    REQUIRE(reply);
    CHECK_EQ(reply->result, result);
  }
}

TEST_CASE("a program that does not become an agent is told by its cause, within the bound") {
  struct Case {
    std::string name;
    std::string body;
    Code code;
    std::string says;
    seconds bound = kShort;  ///< of those that do not answer
  };
  const Case cases[] = {
      {"it ends", "echo 'no such thing' >&2; exit 3\n", Code::kSessionEnded, "exit code 3 before"},
      {"it says why", "echo 'no such thing' >&2; exit 3\n", Code::kSessionEnded, ": no such thing"},
      {"it is killed", "kill -9 $$\n", Code::kSessionEnded, "signal 9"},
      {"its CLIXML is no cause", "printf '#< CLIXML\\n<Objs Version=\"1.1.0.1\">x</Objs>\\n' >&2; echo out; exit 1\n",
       Code::kSessionEnded, "answered: out"},
      {"it is silent", "take_script; sleep 60\n", Code::kNoAnswer, "no answer within 1 s"},
      {"it reads nothing", "sleep 60\n", Code::kNoAnswer, "no answer within 1 s"},
      {"it has another nonce", "listen; nonce=ffffffffffffffffffffffffffffffff; ok 1 '{\"protocol\":1}'; next\n",
       Code::kNoAnswer, "said last: gpup-ffff", seconds(15)},
      {"it closes its output and stays", "exec >&-; sleep 60\n", Code::kSessionEnded, "closed its output"},
      {"text without end", "yes\n", Code::kNotAnAgent, "more than 1 MiB"},
      {"zeros without end", "cat /dev/zero\n", Code::kNotAnAgent, "more than 1 MiB"},
      {"stderr without end", "yes >&2\n", Code::kNotAnAgent, "more than 1 MiB"},
      {"a reply without end", "listen; printf 'gpup-%s 5242880:' $nonce; yes | tr -d '\\n'\n", Code::kNotAnAgent,
       "not as long as it says"},
      {"a reply that says to be too large", "listen; printf 'gpup-%s 67108865:' $nonce; next\n", Code::kNotAnAgent,
       "larger than 64 MiB"},
      {"a wrong length", "listen; printf 'gpup-%s 5:{}\\n' $nonce; next\n", Code::kNotAnAgent, "not as long"},
      {"no JSON", "listen; say 'oops'; next\n", Code::kNotAnAgent, "cannot be read"},
      {"a member twice", "listen; say '{\"id\":1,\"id\":1,\"ok\":true,\"result\":{}}'; next\n", Code::kNotAnAgent,
       "cannot be read"},
      {"half an object", "listen; say '{\"id\":1,\"ok\":true,\"result\":{}'; next\n", Code::kNotAnAgent,
       "cannot be read"},
      {"no result", "listen; say '{\"id\":1,\"ok\":true}'; next\n", Code::kNotAnAgent, "no 'result'"},
      {"a reply to nobody", "listen; say '{\"id\":7,\"ok\":true,\"result\":{}}'; next\n", Code::kNotAnAgent,
       "request 7, which was never made"},
      {"another protocol", "listen; ok 1 '{\"protocol\":2}'; next\n", Code::kNotAnAgent, "protocol 1"},
      {"a refusal", "listen; no 1 '{\"reason\":\"agent\",\"message\":\"oh\"}'; next\n", Code::kNotAnAgent, ": oh"},
      {"a request that was cut off",
       "listen; no 0 '{\"reason\":\"cut-off\",\"message\":null,\"performed\":false}'; next\n", Code::kNotAnAgent,
       "did not understand"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const TemporaryFolder folder;
    const auto begun = Clock::now();
    const auto session = opened(folder, c.body, c.code == Code::kNoAnswer ? c.bound : kLong);
    CHECK_LT(Clock::now() - begun, seconds(60));
    REQUIRE_FALSE(session);
    CHECK(session.error().code == ErrorCode::kUnreachable);
    CAPTURE(session.error().message);
    CHECK_EQ(to_string(code_of(session.error())), to_string(c.code));
    CHECK(contains(session.error().message, c.says));
  }
}

TEST_CASE("a program that is not there is named") {
  for (const std::string program : {"no-such-program", "/no/such/program"}) {
    const HostTarget host = pretended_host(program);
    const auto launch = launch_of(host, kLong, agent_bootstrap());
    REQUIRE(launch);
    const auto session = AgentSession::open(host, *launch, agent_script(), Mode::kRead, kLong);
    REQUIRE_FALSE(session);
    CHECK(code_of(session.error()) == Code::kProgramMissing);
    CHECK(contains(session.error().message, program));
  }
}

TEST_CASE("a session that ends leaves what was sent unknown, and takes nothing more") {
  struct Case {
    std::string name;
    std::string body;
    ErrorCode code;
  };
  const Case cases[] = {
      {"after the request was read", "hello; next; exit 1\n", ErrorCode::kInterrupted},
      {"in the middle of the reply", "hello; next; printf 'gpup-%s 99:{' $nonce; exit 1\n", ErrorCode::kInterrupted},
      {"with a reply that cannot be read", "hello; next; say nonsense; next\n", ErrorCode::kInterrupted},
      {"in silence", "hello; next; sleep 60\n", ErrorCode::kInterrupted},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const TemporaryFolder folder;
    const auto session = opened(folder, c.body);
    REQUIRE(session);
    const auto reply = (*session)->request("\"op\":\"start-vm\"", c.name == "in silence" ? kShort : kLong);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == c.code);
    CHECK((*session)->ended());
    const auto after = (*session)->request("\"op\":\"observe\"", kLong);
    REQUIRE_FALSE(after);
    CHECK(after.error().code == ErrorCode::kUnreachable);
  }
}

TEST_CASE("a request that its agent never read in full was not performed") {
  const TemporaryFolder folder;
  const auto session = opened(folder, "hello; sleep 60\n");
  REQUIRE(session);
  // More than a pipe takes.
  const auto reply = (*session)->request("\"op\":\"start-vm\",\"x\":\"" + std::string(200'000, 'x') + "\"", kShort);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == ErrorCode::kUnreachable);
  CHECK((*session)->ended());
}

TEST_CASE("the death of an idle agent is seen at once") {
  const TemporaryFolder folder;
  const auto session = opened(folder, "hello; next; ok $id '{}'; exit 0\n");
  REQUIRE(session);
  REQUIRE((*session)->request("\"op\":\"observe\"", kLong));
  for (int i = 0; i < 500 && !(*session)->ended(); ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  CHECK((*session)->ended());
}

TEST_CASE("a second answer to one request is passed over, and so is one that comes too late") {
  const TemporaryFolder folder;
  const auto session = opened(folder,
                              "hello; next; ok $id '{\"n\":1}'; ok $id '{\"n\":2}'; next; ok $id '{\"n\":3}'\n"
                              "next; slow=$id; next; ok $id '{\"n\":4}'; sleep 2; ok $slow '{\"n\":5}'\n"
                              "next; ok $id '{\"n\":6}'; next\n");
  REQUIRE(session);
  const auto ask = [&](seconds bound) {
    const auto reply = (*session)->request("\"op\":\"observe\"", bound);
    return reply ? reply->result : to_string(code_of(reply.error()));
  };
  CHECK_EQ(ask(kLong), "{\"n\":1}");
  CHECK_EQ(ask(kLong), "{\"n\":3}");
  std::string late;
  std::thread slow([&] { late = ask(kShort); });
  std::this_thread::sleep_for(milliseconds(300));
  CHECK_EQ(ask(kLong), "{\"n\":4}");
  slow.join();
  // It was given up alone: the session had said something meanwhile.
  CHECK_EQ(late, "GP183");
  CHECK_EQ(ask(kLong), "{\"n\":6}");
}

TEST_CASE("a request that writes and is given up is withdrawn, unless it has begun") {
  const TemporaryFolder folder;
  const auto session =
      opened(folder,
             "hello\n"
             "next; first=$id; next; ok $id '{}'; next; echo \"$line\" >asked; ok $id '{\"withdrawn\":1}'\n"
             "next; next; ok $id '{}'; next; ok $id '{\"withdrawn\":0}'\n"
             "next; slow=$id; next; ok $id '{}'; next; ok $slow '{\"n\":1}'; ok $id '{\"withdrawn\":0}'; next\n");
  REQUIRE(session);
  const auto ask = [&] {
    auto reply = (*session)->request("\"op\":\"start-vm\"", kShort, true);
    return reply ? reply->result : fmt::format("{} {}", static_cast<int>(reply.error().code), reply.error().message);
  };
  const auto beside = [&] {
    std::string answer;
    std::thread slow([&] { answer = ask(); });
    std::this_thread::sleep_for(milliseconds(300));
    CHECK((*session)->request("\"op\":\"observe\"", kLong));
    slow.join();
    return answer;
  };
  CHECK_EQ(beside(),
           fmt::format("{} no answer within 1 s, and it had not begun", static_cast<int>(ErrorCode::kUnreachable)));
  CHECK(contains(read_text(folder / "asked"), "\"op\":\"withdraw\",\"request\":2}"));
  CHECK_EQ(beside(), fmt::format("{} no answer within 1 s", static_cast<int>(ErrorCode::kInterrupted)));
  CHECK_EQ(beside(), "{\"n\":1}");
  CHECK_FALSE((*session)->ended());
}

TEST_CASE("a large reply comes whole, whatever is said on stderr beside it") {
  const TemporaryFolder folder;
  const auto session = opened(folder,
                              "hello; next; head -c 900000 /dev/zero >&2\n"
                              "printf 'gpup-%s 16000036:{\"id\":2,\"ok\":true,\"result\":{\"x\":\"' $nonce\n"
                              "head -c 16000000 /dev/zero | tr '\\0' x; printf '\"}}\\n'; next\n");
  REQUIRE(session);
  const auto reply = (*session)->request("\"op\":\"observe\"", kLong);
  CAPTURE((reply ? std::string() : reply.error().message));
  REQUIRE(reply);
  CHECK_EQ(reply->result.size(), 16'000'008);
}

TEST_CASE("an agent sees the end of its input when its session is let go, and a deaf one is killed") {
  for (const std::string body : {"hello; while next; do :; done\n", "hello; trap '' HUP; sleep 60\n"}) {
    CAPTURE(body);
    const TemporaryFolder folder;
    const auto begun = Clock::now();
    {
      const auto session = opened(folder, body);
      REQUIRE(session);
    }
    CHECK_LT(Clock::now() - begun, seconds(30));
  }
}

TEST_CASE("an agent that owes the answer to a write is let go, not killed: it keeps the lock until it has ended") {
  for (const bool writes : {false, true}) {
    CAPTURE(writes);
    const TemporaryFolder folder;
    {
      const auto session = opened(folder, "hello; next; sleep 2; touch ended\n");
      REQUIRE(session);
      CHECK_FALSE((*session)->request("\"op\":\"start-vm\"", kShort, writes));
    }
    const auto until = Clock::now() + (writes ? kLong : seconds(3));
    while (!std::filesystem::exists(folder / "ended") && Clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(20));
    }
    CHECK_EQ(std::filesystem::exists(folder / "ended"), writes);
  }
}

TEST_CASE("an agent has a session of its own, which Ctrl-C does not reach") {
  const TemporaryFolder folder;
  const auto session = opened(folder,
                              "listen; read -r _ _ _ _ group own _ </proc/$$/stat\nok 1 "
                              "\"{\\\"protocol\\\":1,\\\"own\\\":$((own == $$ && group == $$))}\"\nnext\n");
  REQUIRE(session);
  CHECK(contains((*session)->hello(), "\"own\":1"));
}

}  // namespace gpup
