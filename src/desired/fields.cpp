#include "desired/fields.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "base/paths.h"
#include "base/text.h"
#include "desired/scalars.h"
#include "model/platform_rules.h"

namespace gpup {

namespace {

constexpr std::uint32_t kMostPartitions = 65'535;  // the cmdlets take a UInt16 (documented)

/// "'vm'", or "an entry of 'hosts'".
std::string subject(const Field& field) {
  return field.shape == Shape::kScalars ? fmt::format("an entry of '{}'", field.key) : fmt::format("'{}'", field.key);
}

bool refuse(Reading& reading, const Field& field, const Scalar& scalar, Code code, std::string_view but = {},
            std::string hint = {}) {
  const std::string_view expected = field.shape == Shape::kScalars ? field.each : field.expected;
  reading.mistakes.add(scalar.place, code, fmt::format("{} must be {}{}", subject(field), expected, but),
                       std::move(hint));
  return false;
}

std::string_view spoken(PlainKind kind) {
  switch (kind) {
    case PlainKind::kNull:
      return "no value";
    case PlainKind::kBoolean:
      return "a boolean";
    case PlainKind::kNumber:
      return "a number";
    case PlainKind::kString:
      break;
  }
  return "a text";
}

/// Whether the scalar is a string that may stand as a name.
bool is_text(Reading& reading, const Field& field, const Scalar& scalar) {
  if (scalar.plain) {
    if (const PlainKind kind = scalar.null ? PlainKind::kNull : plain_kind(scalar.text); kind != PlainKind::kString) {
      return refuse(reading, field, scalar, Code::kNotAString,
                    fmt::format(", and {} without quotes is {}", in_quotes(scalar.text), spoken(kind)),
                    fmt::format("write it in quotes: {}", in_quotes(scalar.text)));
    }
  }
  if (scalar.text.empty()) {
    return refuse(reading, field, scalar, Code::kEmptyValue, ", not empty");
  }
  if (const auto control = control_character_in(scalar.text)) {
    return refuse(reading, field, scalar, Code::kControlCharacter,
                  fmt::format(" without control characters, and this holds U+{:04X}", *control),
                  *control == '\n' ? "a name is one line; a block text ends without a line break after |- or >-" : "");
  }
  return true;
}

bool text(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  to = scalar.text;
  return true;
}

bool text(Reading& reading, const Field& field, const Scalar& scalar, std::string_view& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  to = reading.draft.texts->keep(scalar.text);
  return true;
}

bool text(Reading& reading, const Field& field, const Scalar& scalar, std::optional<std::string>& to) {
  return text(reading, field, scalar, to.emplace());
}

/// A text that few lines differ in is kept once.
bool shared_text(Reading& reading, const Field& field, const Scalar& scalar, std::string_view& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  auto& kept = reading.draft.gpu_names;
  if (const auto found = kept.find(scalar.text); found != kept.end()) {
    to = *found;
  } else {
    to = *kept.insert(reading.draft.texts->keep(scalar.text)).first;
  }
  return true;
}

/// An address or a user becomes an argument of a program: it may not look like an option.
bool argument(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!text(reading, field, scalar, to)) {
    return false;
  }
  if (to.front() == '-') {
    return refuse(reading, field, scalar, Code::kOutOfRange, ", and it may not begin with '-'");
  }
  return true;
}

/// Neither system has users with a ':' in their names: what comes after it is a password.
bool user(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (scalar.text.find(':') != std::string_view::npos) {
    reading.mistakes.hide_lines(reading.file, scalar.place.line, scalar.place.line);
    return refuse(reading, field, scalar, Code::kSecretKey, " alone, without ':' and a password",
                  "authentication is the transport's: an SSH agent or key file, Kerberos, the user's own session");
  }
  return argument(reading, field, scalar, to);
}

bool address(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!argument(reading, field, scalar, to)) {
    return false;
  }
  if (to.find_first_of(" /@") != std::string::npos) {
    return refuse(reading, field, scalar, Code::kOutOfRange, " alone, without spaces, '/' or '@'",
                  to.find('@') != std::string::npos ? "the user stands under 'user'" : "");
  }
  return true;
}

std::string from_file(const Reading& reading, std::string_view path) {
  return path_text((path_of(reading.folder) / path_of(path)).lexically_normal());
}

bool path(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  to = from_file(reading, scalar.text);
  return true;
}

std::string number_hint(const Scalar& scalar) {
  const std::string_view digits = scalar.text;
  if (!scalar.plain) {
    return parse_whole_number(digits).value ? "write it without quotes" : "";
  }
  if (digits.starts_with("0x") || digits.starts_with("0o")) {
    return "write it in decimal";
  }
  if (digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of("0123456789") == std::string_view::npos) {
    return "write it without leading zeros; some programs read them as octal";
  }
  return {};
}

template <std::uint64_t Least, std::uint64_t Most, class Integer>
bool whole_number(Reading& reading, const Field& field, const Scalar& scalar, Integer& to) {
  const Number<std::uint64_t> number = parse_whole_number(scalar.text);
  const bool negative = scalar.plain && scalar.text.starts_with('-') && parse_whole_number(scalar.text.substr(1)).value;
  if (!scalar.plain || (!number.value && !negative && number.trouble == NumberTrouble::kNotANumber)) {
    return refuse(reading, field, scalar, Code::kNotAWholeNumber, {}, number_hint(scalar));
  }
  if (!number.value || *number.value < Least || *number.value > Most) {
    const bool small = negative || (number.value && *number.value < Least);
    return refuse(reading, field, scalar, Code::kOutOfRange,
                  small ? std::string() : fmt::format(" and at most {}", Most));
  }
  if constexpr (std::is_same_v<Integer, std::uint32_t>) {
    to = static_cast<Integer>(*number.value);
  } else {
    to = static_cast<typename Integer::value_type>(*number.value);
  }
  return true;
}

bool down_limit(Reading& reading, const Field& field, const Scalar& scalar, std::optional<DownLimit>& to) {
  if (!scalar.text.ends_with('%')) {
    std::uint32_t number = 0;
    if (!whole_number<1, 0xffffffff>(reading, field, scalar, number)) {
      return false;
    }
    to = DownLimit{number, false};
    return true;
  }
  const std::string_view digits = scalar.text.substr(0, scalar.text.size() - 1);
  const Number<std::uint64_t> number = parse_whole_number(digits);
  const bool too_large = number.value ? *number.value > 100 : number.trouble == NumberTrouble::kOverflow;
  if (too_large || number.value == 0U) {
    return refuse(reading, field, scalar, Code::kOutOfRange, too_large ? ", and at most 100%" : ", and at least 1%");
  }
  if (!number.value || digits.starts_with('+')) {
    return refuse(reading, field, scalar, Code::kNotAWholeNumber);
  }
  to = DownLimit{static_cast<std::uint32_t>(*number.value), true};
  return true;
}

bool down_limit(Reading& reading, const Field& field, const Scalar& scalar, DownLimit& to) {
  std::optional<DownLimit> read;
  if (!down_limit(reading, field, scalar, read)) {
    return false;
  }
  to = *read;
  return true;
}

bool byte_size(Reading& reading, const Field& field, const Scalar& scalar, std::optional<std::uint64_t>& to) {
  const Number<std::uint64_t> size = parse_byte_size(scalar.text);
  if (!size.value) {
    const bool overflow = size.trouble == NumberTrouble::kOverflow;
    return refuse(reading, field, scalar, overflow ? Code::kOutOfRange : Code::kNotASize,
                  overflow ? ", and less than 16777216TiB" : "",
                  overflow ? "" : "a whole number and B, KiB, MiB, GiB or TiB, without a space");
  }
  if (*size.value == 0) {
    return refuse(reading, field, scalar, Code::kOutOfRange, ", and more than nothing");
  }
  to = *size.value;
  return true;
}

bool duration(Reading& reading, const Field& field, const Scalar& scalar, std::chrono::seconds& to) {
  const Number<std::chrono::seconds> duration = parse_duration(scalar.text);
  if (!duration.value) {
    const bool overflow = duration.trouble == NumberTrouble::kOverflow;
    return refuse(reading, field, scalar, overflow ? Code::kOutOfRange : Code::kNotADuration,
                  overflow ? ", and at most 2147483647s" : "",
                  overflow ? "" : "a whole number and s, m or h, without a space");
  }
  if (duration.value->count() == 0) {
    return refuse(reading, field, scalar, Code::kOutOfRange, ", and more than nothing");
  }
  to = *duration.value;
  return true;
}

/// The words of an enumeration, in the order of its enumerators.
template <class Enum>
struct Words;
template <>
struct Words<OfflineAction> {
  static constexpr std::size_t kCount = 5;
  static std::optional<OfflineAction> parse(std::string_view word) { return parse_offline_action(word); }
};
template <>
struct Words<Power> {
  static constexpr std::size_t kCount = 3;
  static std::optional<Power> parse(std::string_view word) { return parse_power(word); }
};
template <>
struct Words<Unlisted> {
  static constexpr std::size_t kCount = 3;
  static std::optional<Unlisted> parse(std::string_view word) { return parse_unlisted(word); }
};
template <>
struct Words<Homogeneous> {
  static constexpr std::size_t kCount = 2;
  static std::optional<Homogeneous> parse(std::string_view word) { return parse_homogeneous(word); }
};
template <>
struct Words<Weekday> {
  static constexpr std::size_t kCount = 7;
  static std::optional<Weekday> parse(std::string_view word) { return parse_weekday(word); }
};
template <>
struct Words<StopMode> {
  static constexpr std::size_t kCount = 2;
  static std::optional<StopMode> parse(std::string_view word) { return parse_stop_mode(word); }
};
template <>
struct Words<Transport> {
  static constexpr std::size_t kCount = 4;
  static std::optional<Transport> parse(std::string_view word) { return parse_transport(word); }
};

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > kLongestGuess) {
    return {};
  }
  const auto near = nearest(word, known);
  return near ? fmt::format("did you mean '{}'?", *near) : std::string();
}

template <class Enum, class Target>
bool word(Reading& reading, const Field& field, const Scalar& scalar, Target& to) {
  if (const std::optional<Enum> found = Words<Enum>::parse(scalar.text)) {
    to = *found;
    return true;
  }
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < Words<Enum>::kCount; ++i) {
    known.push_back(to_string(static_cast<Enum>(i)));
  }
  return refuse(reading, field, scalar, Code::kNotOneOf, {}, did_you_mean(scalar.text, known));
}

bool platform(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!text(reading, field, scalar, to)) {
    return false;
  }
  if (to == "auto" || find_release(to) != nullptr) {
    return true;
  }
  std::vector<std::string_view> known = {"auto"};
  std::string list = "releases: ";
  for (const Release& release : releases()) {
    known.push_back(release.id);
    list += fmt::format("{}{}", known.size() == 2 ? "" : ", ", release.id);
  }
  std::string near = did_you_mean(to, known);
  return refuse(reading, field, scalar, Code::kUnknownPlatform, {}, near.empty() ? list : near);
}

bool rule(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!text(reading, field, scalar, to)) {
    return false;
  }
  if (known_rule(to)) {
    return true;
  }
  std::vector<std::string_view> known;
  for (const PlatformRule& each : platform_rules()) {
    known.push_back(each.id);
  }
  return refuse(reading, field, scalar, Code::kUnknownRule, {},
                fmt::format("rules are {} to {}", known.front(), known.back()));
}

bool time_of_day_of(Reading& reading, const Field& field, const Scalar& scalar, std::uint16_t& to) {
  const std::optional<std::uint16_t> minutes = parse_time_of_day(scalar.text);
  if (!minutes) {
    return refuse(
        reading, field, scalar, Code::kNotATimeOfDay, {},
        "two digits each for hours, 00 to 23, and minutes; a window that ends at or before its beginning lasts "
        "into the next day");
  }
  to = *minutes;
  return true;
}

bool zone(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!text(reading, field, scalar, to)) {
    return false;
  }
  const Result<bool> known = is_zone(to);
  if (known && *known) {
    return true;
  }
  return refuse(
      reading, field, scalar, Code::kNotAZone, {},
      known ? "capital letters count, abbreviations such as CET are none; without tzdata this machine knows UTC alone"
            : known.error().message);
}

bool device(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  if (!is_pci_device(scalar.text)) {
    return refuse(reading, field, scalar, Code::kNotADevice);
  }
  to = fold_case(scalar.text);
  return true;
}

bool guid(Reading& reading, const Field& field, const Scalar& scalar, std::string_view& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  if (!is_guid(scalar.text)) {
    return refuse(reading, field, scalar, Code::kNotAGuid);
  }
  to = reading.draft.texts->keep(scalar.text);
  return true;
}

template <class Text>
bool pattern(Reading& reading, const Field& field, const Scalar& scalar, Text& to) {
  if (!text(reading, field, scalar, to)) {
    return false;
  }
  RE2::Options options;
  options.set_log_errors(false);
  if (const RE2 re2(re2::StringPiece(scalar.text.data(), scalar.text.size()), options); !re2.ok()) {
    return refuse(reading, field, scalar, Code::kNotAPattern, fmt::format(": {}", re2.error()));
  }
  return true;
}

template <class Member>
struct MemberOf;
template <class Class, class Type>
struct MemberOf<Type Class::*> {
  using Object = Class;
};

/// Decodes by `Decode` into a member of what the mapping fills.
template <auto Member, auto Decode>
bool into(Reading& reading, const Field& field, const Scalar& scalar, void* target) {
  using Object = typename MemberOf<decltype(Member)>::Object;
  return Decode(reading, field, scalar, static_cast<Object*>(target)->*Member);
}

// `text` has a form for each type that holds it; these name them for the table.
constexpr auto kText = [](Reading& r, const Field& f, const Scalar& s, auto& to) { return text(r, f, s, to); };
constexpr auto kPattern = [](Reading& r, const Field& f, const Scalar& s, auto& to) { return pattern(r, f, s, to); };
template <std::uint64_t Least, std::uint64_t Most>
constexpr auto kNumber =
    [](Reading& r, const Field& f, const Scalar& s, auto& to) { return whole_number<Least, Most>(r, f, s, to); };
constexpr auto kDownLimit = [](Reading& r, const Field& f, const Scalar& s, auto& to) {
  return down_limit(r, f, s, to);
};
template <class Enum>
constexpr auto kWord = [](Reading& r, const Field& f, const Scalar& s, auto& to) { return word<Enum>(r, f, s, to); };

/// The number of a key in its table; a key that is not there does not compile.
template <std::size_t N>
consteval std::size_t number_of(const Field (&fields)[N], std::string_view key) {
  for (std::size_t i = 0; i < N; ++i) {
    if (fields[i].key == key) {
      return i;
    }
  }
  throw "no such key";
}

void must_have(Reading& reading, const Frame& frame, std::string_view what, std::string hint = {}) {
  reading.mistakes.add(frame.at, Code::kMissingKey, fmt::format("{} is missing in {}", what, frame.mapping->name),
                       std::move(hint));
}

/// Refuses all but the first (in the table's order) of keys that exclude each other.
bool exclude_each_other(Reading& reading, const Frame& frame, std::initializer_list<std::size_t> keys) {
  std::optional<std::size_t> first;
  bool right = true;
  for (const std::size_t key : keys) {
    if (!frame.has(key)) {
      continue;
    }
    if (!first) {
      first = key;
      continue;
    }
    right = false;
    reading.mistakes.add(frame.key_at[key], Code::kExclusiveKeys,
                         fmt::format("'{}' and '{}' exclude each other", frame.mapping->fields[*first].key,
                                     frame.mapping->fields[key].key));
  }
  return right;
}

template <class Object, Object Reading::*Member>
void* fresh(Reading& reading, void* /*parent*/) {
  reading.*Member = {};
  return &(reading.*Member);
}

template <auto Member>
void* inside(Reading& /*reading*/, void* parent) {
  return &(static_cast<typename MemberOf<decltype(Member)>::Object*>(parent)->*Member);
}

// ---- hosts ----

constexpr Field kConnectFields[] = {
    {"transport", "simulated, local, ssh or psremoting", Shape::kScalar, into<&Connect::transport, kWord<Transport>>,
     nullptr, true, true},
    {"file", "the path of a lab", Shape::kScalar, into<&Connect::file, path>},
    {"powershell", "the name or path of a program", Shape::kScalar, into<&Connect::powershell, argument>},
    {"address", "a host name or IP address", Shape::kScalar, into<&Connect::address, address>},
    {"hostName", "a host name or IP address", Shape::kScalar, into<&Connect::host_name, address>},
    {"port", "a whole number, at least 1", Shape::kScalar, into<&Connect::port, kNumber<1, 65'535>>},
    {"user", "a user's name", Shape::kScalar, into<&Connect::user, user>},
    {"identityFile", "the path of a key file", Shape::kScalar, into<&Connect::identity_file, path>},
    {"knownHosts", "the path of a known_hosts file", Shape::kScalar, into<&Connect::known_hosts, path>},
    {"configurationName", "a name", Shape::kScalar, into<&Connect::configuration_name, kText>},
};
constexpr std::size_t kTransport = number_of(kConnectFields, "transport");
constexpr std::size_t kFile = number_of(kConnectFields, "file");
constexpr std::size_t kPowershell = number_of(kConnectFields, "powershell");
constexpr std::size_t kAddress = number_of(kConnectFields, "address");
constexpr std::size_t kHostName = number_of(kConnectFields, "hostName");
constexpr std::size_t kPort = number_of(kConnectFields, "port");
constexpr std::size_t kUser = number_of(kConnectFields, "user");
constexpr std::size_t kIdentityFile = number_of(kConnectFields, "identityFile");
constexpr std::size_t kKnownHosts = number_of(kConnectFields, "knownHosts");
constexpr std::size_t kConfigurationName = number_of(kConnectFields, "configurationName");

constexpr std::uint32_t bits(std::initializer_list<std::size_t> keys) {
  std::uint32_t all = 0;
  for (const std::size_t key : keys) {
    all |= 1U << key;
  }
  return all;
}

/// The keys that a transport takes, in the order of the enumerators.
constexpr std::array<std::uint32_t, 4> kTransportKeys = {
    bits({kTransport, kFile}),
    bits({kTransport, kPowershell}),
    bits({kTransport, kAddress, kPort, kUser, kIdentityFile, kKnownHosts, kPowershell}),
    bits({kTransport, kAddress, kHostName, kPort, kUser, kIdentityFile, kConfigurationName}),
};

void end_connect(Reading& reading, const Frame& frame) {
  if (!frame.has_good(kTransport)) {
    return;  // which keys it takes is not known
  }
  const Transport transport = static_cast<Connect*>(frame.target)->transport;
  const std::uint32_t own = kTransportKeys.at(static_cast<std::size_t>(transport));
  for (std::size_t key = 0; key < std::size(kConnectFields); ++key) {
    if (frame.has(key) && (own >> key & 1U) == 0) {
      reading.mistakes.add(
          frame.key_at[key], Code::kTransportKey,
          fmt::format("'{}' is not a key of transport {}", kConnectFields[key].key, to_string(transport)));
    }
  }
  switch (transport) {
    case Transport::kSimulated:
      if (!frame.tried(kFile)) {
        must_have(reading, frame, "'file'", "the lab: a JSON file that `gpup observe -o json` prints");
      }
      break;
    case Transport::kSsh:
      if (!frame.tried(kAddress)) {
        must_have(reading, frame, "'address'");
      }
      break;
    case Transport::kPsRemoting:
      if (!frame.tried(kAddress) && !frame.tried(kHostName)) {
        must_have(reading, frame, "'address' or 'hostName'",
                  "'address' goes by WinRM, 'hostName' by SSH with PowerShell 7 on both ends");
      }
      exclude_each_other(reading, frame, {kAddress, kHostName});
      break;
    case Transport::kLocal:
      break;
  }
}

constexpr Mapping kConnect = {"'connect'", kConnectFields, inside<&HostTarget::connect>, end_connect};

constexpr Field kHostFields[] = {
    {"name", "a host's name", Shape::kScalar, into<&HostTarget::name, kText>, nullptr, true, true},
    {"connect", "a mapping with 'transport'", Shape::kMapping, nullptr, &kConnect, true, true},
};
constexpr std::size_t kHostsName = number_of(kHostFields, "name");

void end_host(Reading& reading, const Frame& frame) {
  if (!frame.has_good(kHostsName)) {
    reading.draft.hosts_whole = false;
    return;
  }
  reading.host.place = frame.value_at[kHostsName];
  reading.draft.host_numbers.push_back(reading.draft.host_names.number(reading.host.target.name));
  reading.draft.state.hosts.push_back(std::move(reading.host));
}

void* begin_host(Reading& reading, void* /*parent*/) {
  reading.host = {};
  return &reading.host.target;
}

constexpr Mapping kHost = {"a host", kHostFields, begin_host, end_host};

// ---- gpus ----

bool host_of_gpu(Reading& reading, const Field& field, const Scalar& scalar, void* /*target*/) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  const std::uint32_t number = reading.draft.host_names.number(scalar.text);
  reading.gpu.hosts.push_back(number);
  reading.gpu_hosts_at.push_back(scalar.place);
  return true;
}

constexpr Field kGpuFields[] = {
    {"model", "a GPU model's whole name", Shape::kScalar, into<&DesiredGpu::model, kText>},
    {"device", "PCI vendor and device such as 10de:25b6", Shape::kScalar, into<&DesiredGpu::device, device>},
    {"match", "a pattern (RE2) of model names", Shape::kScalar, into<&DesiredGpu::match, kPattern>},
    {"partitionCount", "a whole number, at least 1", Shape::kScalar,
     into<&DesiredGpu::partition_count, kNumber<1, kMostPartitions>>},
    {"expect", "a whole number, at least 1", Shape::kScalar, into<&DesiredGpu::expect, kNumber<1, 0xffffffff>>},
    {"hosts", "a list of names that stand under 'hosts'", Shape::kScalars, host_of_gpu, nullptr, false, false,
     "a host's name"},
};
constexpr std::size_t kModel = number_of(kGpuFields, "model");
constexpr std::size_t kDevice = number_of(kGpuFields, "device");
constexpr std::size_t kGpuMatch = number_of(kGpuFields, "match");
constexpr std::size_t kPartitionCount = number_of(kGpuFields, "partitionCount");
constexpr std::size_t kGpuExpect = number_of(kGpuFields, "expect");
constexpr std::size_t kGpuHosts = number_of(kGpuFields, "hosts");

void end_gpu(Reading& reading, const Frame& frame) {
  if (!frame.tried(kModel) && !frame.tried(kDevice) && !frame.tried(kGpuMatch)) {
    must_have(reading, frame, "one of 'model', 'device' and 'match'");
  }
  const bool one = exclude_each_other(reading, frame, {kModel, kDevice, kGpuMatch});
  const std::uint32_t names = bits({kModel, kDevice, kGpuMatch});
  const bool hosts_right = frame.has(kGpuHosts) == frame.has_good(kGpuHosts);
  if (!one || (frame.good & names) == 0 || !hosts_right) {
    return;
  }
  reading.gpu.place = frame.value_at[static_cast<std::size_t>(std::countr_zero(frame.good & names))];
  reading.gpu.count_place = frame.has(kPartitionCount) ? frame.value_at[kPartitionCount] : Place{};
  reading.gpu.expect_place = frame.has(kGpuExpect) ? frame.value_at[kGpuExpect] : Place{};
  reading.draft.state.gpus.push_back(std::move(reading.gpu));
  reading.draft.gpu_hosts_at.push_back(std::move(reading.gpu_hosts_at));
}

void* begin_gpu(Reading& reading, void* /*parent*/) {
  reading.gpu = {};
  reading.gpu_hosts_at.clear();
  return &reading.gpu;
}

constexpr Mapping kGpu = {"a line under 'gpus'", kGpuFields, begin_gpu, end_gpu};

// ---- assignments ----

bool host_of_vm(Reading& reading, const Field& field, const Scalar& scalar, std::uint32_t& to) {
  if (!is_text(reading, field, scalar)) {
    return false;
  }
  to = reading.draft.host_names.number(scalar.text);
  return true;
}

constexpr Field kAssignmentFields[] = {
    {"vm", "a VM's name", Shape::kScalar, into<&DesiredAssignment::vm, kText>},
    {"id", "a VM's GUID such as 711cee18-60db-43b4-be7e-cedce5e25dd0", Shape::kScalar,
     into<&DesiredAssignment::id, guid>},
    {"match", "a pattern (RE2) of VM names", Shape::kScalar, into<&DesiredAssignment::match, kPattern>},
    {"expect", "a whole number, at least 0", Shape::kScalar, into<&DesiredAssignment::expect, kNumber<0, 0xffffffff>>},
    {"gpu", "a GPU model's whole name", Shape::kScalar, into<&DesiredAssignment::gpu, shared_text>},
    {"minVram", "a size such as 3GiB", Shape::kScalar, into<&DesiredAssignment::min_vram, byte_size>},
    {"offlineAction", "turn-off, save, shutdown, force-shutdown or unmanaged", Shape::kScalar,
     into<&DesiredAssignment::offline_action, kWord<OfflineAction>>},
    {"power", "keep, running or off", Shape::kScalar, into<&DesiredAssignment::power, kWord<Power>>},
    {"host", "the name of a host that stands under 'hosts'", Shape::kScalar,
     into<&DesiredAssignment::host, host_of_vm>},
};
constexpr std::size_t kVm = number_of(kAssignmentFields, "vm");
constexpr std::size_t kId = number_of(kAssignmentFields, "id");
constexpr std::size_t kVmMatch = number_of(kAssignmentFields, "match");
constexpr std::size_t kGpuName = number_of(kAssignmentFields, "gpu");
constexpr std::size_t kMinVram = number_of(kAssignmentFields, "minVram");
constexpr std::size_t kOfflineAction = number_of(kAssignmentFields, "offlineAction");
constexpr std::size_t kPower = number_of(kAssignmentFields, "power");
constexpr std::size_t kVmHost = number_of(kAssignmentFields, "host");
constexpr std::size_t kVmExpect = number_of(kAssignmentFields, "expect");

bool check_assignment_keys(Reading& reading, const Frame& frame) {
  bool right = true;
  if (!frame.tried(kVm) && !frame.tried(kId) && !frame.tried(kVmMatch)) {
    must_have(reading, frame, "one of 'vm', 'id' and 'match'");
    right = false;
  }
  right = exclude_each_other(reading, frame, {kVmMatch, kVm}) && right;
  right = exclude_each_other(reading, frame, {kVmMatch, kId}) && right;
  if (frame.has(kVmMatch) && !frame.tried(kVmExpect)) {
    must_have(reading, frame, "'expect'", "with 'match' it says how many VMs must be found");
  }
  if (!frame.tried(kVmMatch) && frame.has(kVmExpect)) {
    reading.mistakes.add(frame.key_at[kVmExpect], Code::kExclusiveKeys, "'expect' stands beside 'match' only");
  }
  return right;
}

void end_assignment(Reading& reading, const Frame& frame) {
  const bool keys_right = check_assignment_keys(reading, frame);
  const std::uint32_t names = bits({kVm, kId, kVmMatch});
  const std::uint32_t identity = names | bits({kVmHost});
  if (!keys_right || (frame.good & names) == 0 || (frame.seen & identity) != (frame.good & identity)) {
    return;
  }
  DesiredAssignment& line = reading.assignment;
  line.place = frame.value_at[static_cast<std::size_t>(std::countr_zero(frame.good & names))];
  const auto detail = [&](std::size_t key) {
    return frame.has(key) ? DesiredAssignment::Detail(line.place, frame.value_at[key]) : DesiredAssignment::Detail();
  };
  line.gpu_at = detail(kGpuName);
  line.min_vram_at = detail(kMinVram);
  line.offline_action_at = detail(kOfflineAction);
  line.power_at = detail(kPower);
  line.host_at = detail(kVmHost);
  line.expect_at = detail(kVmExpect);
  reading.draft.state.assignments.push_back(line);
}

constexpr Mapping kAssignment = {"a line under 'assignments'", kAssignmentFields,
                                 fresh<DesiredAssignment, &Reading::assignment>, end_assignment};

// ---- policy ----

constexpr Field kStopFields[] = {
    {"mode", "shutdown or turn-off", Shape::kScalar, into<&StopPolicy::mode, kWord<StopMode>>},
    {"timeout", "a duration such as 5m", Shape::kScalar, into<&StopPolicy::timeout, duration>},
};
constexpr Mapping kStop = {"'stop'", kStopFields, inside<&DesiredPolicy::stop>, nullptr};

constexpr Field kOverrideFields[] = {
    {"rule", "the id of a platform rule such as R07", Shape::kScalar, into<&DesiredOverride::rule, rule>, nullptr, true,
     true},
    {"reason", "a text that says why the rule may be broken", Shape::kScalar, into<&DesiredOverride::reason, kText>,
     nullptr, true, true},
};
constexpr std::size_t kRule = number_of(kOverrideFields, "rule");

void end_override(Reading& reading, const Frame& frame) {
  if (!frame.has_good(kRule)) {
    return;
  }
  DesiredOverride& line = reading.override_line;
  line.place = frame.value_at[kRule];
  auto& all = reading.draft.state.policy.overrides;
  const auto first =
      std::find_if(all.begin(), all.end(), [&](const DesiredOverride& o) { return o.rule == line.rule; });
  if (first != all.end()) {
    reading.mistakes.add(
        line.place, Code::kSaidTwice,
        fmt::format("rule {} is overridden twice, first at {}", line.rule, reading.mistakes.name(first->place)));
    return;
  }
  all.push_back(std::move(line));
}

constexpr Mapping kOverride = {"a line under 'override'", kOverrideFields,
                               fresh<DesiredOverride, &Reading::override_line>, end_override};

/// Keeps an entry of a list unless one of the same name is there.
template <class Entry>
void keep_once(Reading& reading, std::string_view list, std::vector<Entry>& all, std::string Entry::*name,
               Entry entry) {
  const auto first =
      std::find_if(all.begin(), all.end(), [&](const Entry& other) { return other.*name == entry.*name; });
  if (first == all.end()) {
    all.push_back(std::move(entry));
    return;
  }
  reading.mistakes.add(entry.place, Code::kSaidTwice,
                       fmt::format("{} is said twice under '{}', first at {}", in_quotes(entry.*name), list,
                                   reading.mistakes.name(first->place)));
}

bool order_entry(Reading& reading, const Field& field, const Scalar& scalar, void* target) {
  DesiredDisruption::Entry entry{{}, scalar.place};
  if (!pattern(reading, field, scalar, entry.name)) {
    return false;
  }
  keep_once(reading, field.key, static_cast<DesiredDisruption*>(target)->order, &DesiredDisruption::Entry::name,
            std::move(entry));
  return true;
}

constexpr std::string_view kDownLimitWords = "a whole number, at least 1, or a percentage such as 25%";

constexpr Field kGroupFields[] = {
    {"match", "a pattern (RE2) of VM names", Shape::kScalar, into<&DesiredDisruption::Group::match, kPattern>, nullptr,
     true, true},
    {"maxUnavailable", kDownLimitWords, Shape::kScalar, into<&DesiredDisruption::Group::max_unavailable, kDownLimit>,
     nullptr, true, true},
};
constexpr std::size_t kGroupMatch = number_of(kGroupFields, "match");
constexpr std::size_t kGroupLimit = number_of(kGroupFields, "maxUnavailable");

void end_group(Reading& reading, const Frame& frame) {
  if (!frame.has_good(kGroupMatch) || !frame.has_good(kGroupLimit)) {
    return;
  }
  reading.group.place = frame.value_at[kGroupMatch];
  keep_once(reading, "groups", reading.draft.state.policy.disruption.groups, &DesiredDisruption::Group::match,
            std::move(reading.group));
}

constexpr Mapping kGroup = {"a line under 'groups'", kGroupFields, fresh<DesiredDisruption::Group, &Reading::group>,
                            end_group};

constexpr Field kDisruptionFields[] = {
    {"maxUnavailable", kDownLimitWords, Shape::kScalar, into<&DesiredDisruption::max_unavailable, kDownLimit>},
    {"perHost", "a whole number, at least 1", Shape::kScalar,
     into<&DesiredDisruption::per_host, kNumber<1, 0xffffffff>>},
    {"order", "a list of VM names or patterns", Shape::kScalars, order_entry, nullptr, false, false,
     "a VM's name or a pattern (RE2) of VM names"},
    {"groups", "a list of mappings with 'match' and 'maxUnavailable'", Shape::kMappings, nullptr, &kGroup, false},
};
constexpr std::size_t kMaxUnavailable = number_of(kDisruptionFields, "maxUnavailable");
constexpr std::size_t kPerHost = number_of(kDisruptionFields, "perHost");
constexpr std::size_t kGroups = number_of(kDisruptionFields, "groups");

void end_disruption(Reading& reading, const Frame& frame) {
  if (!frame.tried(kMaxUnavailable) && !frame.tried(kPerHost) && !frame.tried(kGroups)) {
    must_have(reading, frame, "one of 'maxUnavailable', 'perHost' and 'groups'");
  }
  DesiredDisruption& disruption = *static_cast<DesiredDisruption*>(frame.target);
  disruption.max_unavailable_place = frame.has(kMaxUnavailable) ? frame.value_at[kMaxUnavailable] : Place{};
  disruption.per_host_place = frame.has(kPerHost) ? frame.value_at[kPerHost] : Place{};
}

constexpr Mapping kDisruption = {"'disruption'", kDisruptionFields, inside<&DesiredPolicy::disruption>, end_disruption};

bool window_day(Reading& reading, const Field& field, const Scalar& scalar, void* target) {
  Weekday day{};
  if (!word<Weekday>(reading, field, scalar, day)) {
    return false;
  }
  Window& window = *static_cast<Window*>(target);
  if (window.has(day)) {
    reading.mistakes.add(scalar.place, Code::kSaidTwice,
                         fmt::format("{} is said twice under '{}'", in_quotes(scalar.text), field.key));
    return false;
  }
  window.days = static_cast<std::uint8_t>(window.days | 1U << static_cast<unsigned>(day));
  return true;
}

constexpr Field kWindowFields[] = {
    {"days", "a list of mon, tue, wed, thu, fri, sat and sun", Shape::kScalars, window_day, nullptr, false, false,
     "mon, tue, wed, thu, fri, sat or sun"},
    {"from", "a time of day such as 22:00", Shape::kScalar, into<&Window::from, time_of_day_of>, nullptr, true, true},
    {"to", "a time of day such as 04:00", Shape::kScalar, into<&Window::to, time_of_day_of>, nullptr, true, true},
    {"zone", "an IANA time zone such as Europe/Berlin", Shape::kScalar, into<&Window::zone, zone>, nullptr, true, true},
};

void* begin_window(Reading& reading, void* /*parent*/) {
  reading.window = {};
  reading.window.days = 0;
  return &reading.window;
}

void end_window(Reading& reading, const Frame& /*frame*/) {
  Window& window = reading.draft.state.policy.window.emplace(reading.window);
  window.days = window.days == 0 ? Window::kEveryDay : window.days;
}

constexpr Mapping kWindow = {"'window'", kWindowFields, begin_window, end_window};

/// A name without a slash stays as it is, to be looked for in PATH; and so a path must not lose its last one.
std::string program_from_file(const Reading& reading, std::string program) {
  if (!has_folder(program)) {
    return program;
  }
  std::string path = from_file(reading, program);
  return has_folder(path) ? path : "./" + path;
}

/// A word of a hook. The first is its program.
template <auto Member>
bool hook_word(Reading& reading, const Field& field, const Scalar& scalar, void* target) {
  std::vector<std::string>& argv = static_cast<HookPolicy*>(target)->*Member;
  std::string word;
  if (argv.size() > HookPolicy::kMostWords || !text(reading, field, scalar, word)) {
    return false;
  }
  if (word.size() > HookPolicy::kLongestWord) {
    return refuse(reading, field, scalar, Code::kOutOfRange,
                  fmt::format(" of at most {} bytes", HookPolicy::kLongestWord));
  }
  argv.push_back(argv.empty() ? program_from_file(reading, std::move(word)) : std::move(word));
  if (argv.size() > HookPolicy::kMostWords) {
    return refuse(reading, field, scalar, Code::kOutOfRange,
                  fmt::format(", and a hook has at most {} of them", HookPolicy::kMostWords));
  }
  return true;
}

constexpr std::string_view kHook = "a list: a program and its arguments";
constexpr std::string_view kHookWord = "a text";

constexpr Field kHooksFields[] = {
    {"before", kHook, Shape::kScalars, hook_word<&HookPolicy::before>, nullptr, false, false, kHookWord},
    {"after", kHook, Shape::kScalars, hook_word<&HookPolicy::after>, nullptr, false, false, kHookWord},
    {"onFailure", kHook, Shape::kScalars, hook_word<&HookPolicy::on_failure>, nullptr, false, false, kHookWord},
    {"timeout", "a duration such as 5m", Shape::kScalar, into<&HookPolicy::timeout, duration>},
};
constexpr std::size_t kBefore = number_of(kHooksFields, "before");
constexpr std::size_t kAfter = number_of(kHooksFields, "after");
constexpr std::size_t kOnFailure = number_of(kHooksFields, "onFailure");

void end_hooks(Reading& reading, const Frame& frame) {
  if (!frame.tried(kBefore) && !frame.tried(kAfter) && !frame.tried(kOnFailure)) {
    must_have(reading, frame, "one of 'before', 'after' and 'onFailure'");
  }
}

constexpr Mapping kHooks = {"'hooks'", kHooksFields, inside<&DesiredPolicy::hooks>, end_hooks};

// ---- policy.ignore ----

constexpr std::string_view kVmOfHost = "/vm/";
constexpr std::string_view kGpuOfHost = "/gpu/";

bool ignored_object(Reading& reading, const Field& field, const Scalar& scalar, void* target) {
  DesiredIgnore& line = *static_cast<DesiredIgnore*>(target);
  if (!text(reading, field, scalar, line.object)) {
    return false;
  }
  const std::string_view object = line.object;
  const std::size_t slash = std::min(object.find('/'), object.size());
  const std::string_view rest = object.substr(slash);
  line.host = object.substr(0, slash);
  line.vm = rest.starts_with(kVmOfHost) ? rest.substr(kVmOfHost.size()) : std::string_view();
  line.gpu = rest.starts_with(kGpuOfHost) ? rest.substr(kGpuOfHost.size()) : std::string_view();
  if (line.host.empty() || (!rest.empty() && line.vm.empty() && line.gpu.empty())) {
    return refuse(reading, field, scalar, Code::kNotAnObject, {}, "such as hv-e1/vm/vdi-01");
  }
  return true;
}

bool ignored_property(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  static const std::vector<std::string_view> kKnown = {"partitionCount", "partitions", "state", "offlineAction"};
  if (std::find(kKnown.begin(), kKnown.end(), scalar.text) == kKnown.end()) {
    return refuse(reading, field, scalar, Code::kNotOneOf, {}, did_you_mean(scalar.text, kKnown));
  }
  to = scalar.text;
  return true;
}

bool day(Reading& reading, const Field& field, const Scalar& scalar, std::string& to) {
  if (!is_day(scalar.text)) {
    return refuse(reading, field, scalar, Code::kNotADay, {}, "year, month and day; the last one on which it holds");
  }
  to = scalar.text;
  return true;
}

constexpr Field kIgnoreFields[] = {
    {"object", "HOST, HOST/vm/NAME or HOST/gpu/NAME", Shape::kScalar, ignored_object, nullptr, true, true},
    {"property", "partitionCount, partitions, state or offlineAction", Shape::kScalar,
     into<&DesiredIgnore::property, ignored_property>},
    {"reason", "a text that says why the drift is accepted", Shape::kScalar, into<&DesiredIgnore::reason, kText>,
     nullptr, true, true},
    {"until", "a day such as 2026-12-31", Shape::kScalar, into<&DesiredIgnore::until, day>},
};
constexpr std::size_t kIgnoredObject = number_of(kIgnoreFields, "object");

void end_ignore(Reading& reading, const Frame& frame) {
  if (!frame.has_good(kIgnoredObject)) {
    return;
  }
  DesiredIgnore& line = reading.ignore;
  line.place = frame.value_at[kIgnoredObject];
  auto& all = reading.draft.state.policy.ignores;
  const auto first = std::find_if(all.begin(), all.end(), [&](const DesiredIgnore& other) {
    return other.object == line.object && other.property == line.property;
  });
  if (first != all.end()) {
    reading.mistakes.add(line.place, Code::kSaidTwice,
                         fmt::format("{} is said twice under 'ignore', first at {}", in_quotes(line.object),
                                     reading.mistakes.name(first->place)));
    return;
  }
  all.push_back(std::move(line));
}

constexpr Mapping kIgnore = {"a line under 'ignore'", kIgnoreFields, fresh<DesiredIgnore, &Reading::ignore>,
                             end_ignore};

constexpr Field kPolicyFields[] = {
    {"unlisted", "unassign, keep or refuse", Shape::kScalar, into<&DesiredPolicy::unlisted, kWord<Unlisted>>},
    {"homogeneous", "require or warn", Shape::kScalar, into<&DesiredPolicy::homogeneous, kWord<Homogeneous>>},
    {"stop", "a mapping with 'mode' and 'timeout'", Shape::kMapping, nullptr, &kStop},
    {"window", "a mapping with 'from', 'to' and 'zone'", Shape::kMapping, nullptr, &kWindow},
    {"hooks", "a mapping such as { before: [/usr/local/bin/drain-sessions, --wait] }", Shape::kMapping, nullptr,
     &kHooks},
    {"disruption", "a mapping such as { maxUnavailable: 2 }", Shape::kMapping, nullptr, &kDisruption},
    {"override", "a list of mappings with 'rule' and 'reason'", Shape::kMappings, nullptr, &kOverride},
    {"ignore", "a list of mappings with 'object' and 'reason'", Shape::kMappings, nullptr, &kIgnore},
};
constexpr std::size_t kUnlisted = number_of(kPolicyFields, "unlisted");

void end_policy(Reading& reading, const Frame& frame) {
  if (frame.has_good(kUnlisted)) {
    reading.draft.state.policy.unlisted_place = frame.value_at[kUnlisted];
  }
}

constexpr Mapping kPolicy = {"'policy'", kPolicyFields, inside<&DesiredState::policy>, end_policy};

// ---- the document ----

constexpr Field kMetadataFields[] = {
    {"name", "a name", Shape::kScalar, into<&Reading::document_name, kText>},
};
constexpr std::size_t kMetadataName = number_of(kMetadataFields, "name");

void* begin_metadata(Reading& reading, void* /*parent*/) {
  reading.document_name.clear();
  return &reading;
}

void end_metadata(Reading& reading, const Frame& frame) {
  if (!frame.has_good(kMetadataName)) {
    reading.draft.header_known = reading.draft.header_known && !frame.tried(kMetadataName);
    return;
  }
  Draft& draft = reading.draft;
  const Place place = frame.value_at[kMetadataName];
  if (!draft.name_at.known()) {
    draft.name_at = place;
    draft.state.name = reading.document_name;
  } else if (draft.state.name != reading.document_name) {
    reading.mistakes.add(place, Code::kWrongHeader,
                         fmt::format("'name' must be the same in every document, and is {} at {}",
                                     in_quotes(draft.state.name), reading.mistakes.name(draft.name_at)));
  }
}

constexpr Mapping kMetadata = {"'metadata'", kMetadataFields, begin_metadata, end_metadata};

/// A value that every document must have.
bool header(Reading& reading, const Field& field, const Scalar& scalar, void* /*target*/) {
  return scalar.text == field.expected || refuse(reading, field, scalar, Code::kWrongHeader);
}

constexpr Field kDocumentFields[] = {
    {"apiVersion", "gpup/v1", Shape::kScalar, header, nullptr, true, true},
    {"kind", "GpuPartitioning", Shape::kScalar, header, nullptr, true, true},
    {"metadata", "a mapping with 'name'", Shape::kMapping, nullptr, &kMetadata},
    {"platform", "auto or a release such as azure-local-23h2", Shape::kScalar, into<&DesiredState::platform, platform>},
    {"cluster", "a failover cluster's name", Shape::kScalar, into<&DesiredState::cluster, kText>},
    {"hosts", "a list of hosts", Shape::kMappings, nullptr, &kHost, false},
    {"gpus", "a list of GPU lines", Shape::kMappings, nullptr, &kGpu},
    {"assignments", "a list of VM lines", Shape::kMappings, nullptr, &kAssignment},
    {"policy", "a mapping such as { unlisted: keep }", Shape::kMapping, nullptr, &kPolicy},
};
constexpr std::size_t kDocumentMetadata = number_of(kDocumentFields, "metadata");
constexpr std::size_t kPlatform = number_of(kDocumentFields, "platform");
constexpr std::size_t kCluster = number_of(kDocumentFields, "cluster");
constexpr std::size_t kDocumentHosts = number_of(kDocumentFields, "hosts");
constexpr std::size_t kDocumentPolicy = number_of(kDocumentFields, "policy");

void in_one_document(Reading& reading, const Frame& frame, std::size_t key, Place there, Place& first) {
  if (!frame.has(key)) {
    return;
  }
  if (first.known()) {
    reading.mistakes.add(frame.key_at[key], Code::kSaidTwice,
                         fmt::format("'{}' stands in one document only, first at {}", kDocumentFields[key].key,
                                     reading.mistakes.name(first)));
  } else {
    first = there;
  }
}

void* begin_document(Reading& reading, void* /*parent*/) { return &reading.draft.state; }

void end_document(Reading& reading, const Frame& frame) {
  Draft& draft = reading.draft;
  in_one_document(reading, frame, kPlatform, frame.value_at[kPlatform], draft.state.platform_place);
  in_one_document(reading, frame, kCluster, frame.value_at[kCluster], draft.state.cluster_place);
  in_one_document(reading, frame, kDocumentPolicy, frame.key_at[kDocumentPolicy], draft.policy_at);
  draft.hosts_given = draft.hosts_given || frame.tried(kDocumentHosts);
  const bool metadata_lost =
      frame.has(kDocumentMetadata) ? !frame.has_good(kDocumentMetadata) : frame.tried(kDocumentMetadata);
  draft.header_known = draft.header_known && !metadata_lost;
  if (!draft.first_document.known()) {
    draft.first_document = frame.at;
  }
}

static_assert(std::size(kConnectFields) <= kMostFields && std::size(kAssignmentFields) <= kMostFields &&
              std::size(kDocumentFields) <= kMostFields);

}  // namespace

constexpr Mapping kDocument = {"this document", kDocumentFields, begin_document, end_document};

}  // namespace gpup
