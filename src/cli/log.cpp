#include "cli/log.h"

#include <chrono>
#include <memory>
#include <utility>

// spdlog is compiled into this file: binding its shared library at start takes longer than `gpup version` itself.
#undef SPDLOG_COMPILED_LIB
#undef SPDLOG_SHARED_LIB
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "base/json_writer.h"
#include "base/text.h"

namespace gpup {

namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %*";
constexpr const char* kJsonPattern = R"({"time": "%Y-%m-%dT%H:%M:%S.%eZ", "level": "%l", "message": %*})";

/// The message, made safe for a terminal or as a JSON string: spdlog's own flag writes it as it is.
class MessageFlag : public spdlog::custom_flag_formatter {
 public:
  explicit MessageFlag(bool json) : json_(json) {}

  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& dest) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    std::string safe;
    if (json_) {
      append_json_string(safe, text);
    } else {
      safe = escape_terminal(text);
    }
    dest.append(safe.data(), safe.data() + safe.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<MessageFlag>(json_); }

 private:
  bool json_;
};

/// The world's stderr.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StderrSink(World& world) : world_(world) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    world_.err().write(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

 private:
  World& world_;
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      break;
  }
  return spdlog::level::warn;
}

}  // namespace

Result<Done> open_log(const Invocation& line, World& world) {
  try {
    std::shared_ptr<spdlog::sinks::sink> sink;
    if (const auto path = line.value("log-file")) {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(*path));
    } else {
      sink = std::make_shared<StderrSink>(world);
    }
    auto logger = std::make_shared<spdlog::logger>("gpup", std::move(sink));
    const bool json = line.value("log-format") == "json";
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
    formatter->add_flag<MessageFlag>('*', json).set_pattern(json ? kJsonPattern : kTextPattern);
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(std::string(line.value("log-level").value_or("warn"))));
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& error) {
    return fail(ErrorCode::kCannotRead,
                fmt::format("cannot write {}: {}", line.value("log-file").value_or("the log"), error.what()));
  }
  return Done{};
}

void close_log() { spdlog::set_default_logger(nullptr); }

bool logs(LogLevel level) {
  const spdlog::logger* logger = spdlog::default_logger_raw();
  return logger != nullptr && logger->should_log(level_of(level));
}

void log_line(LogLevel level, std::string_view text) {
  if (spdlog::logger* logger = spdlog::default_logger_raw()) {
    logger->log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
  }
}

}  // namespace gpup
