#pragma once

#include <string>
#include <string_view>

#include "adapters/agent_launch.h"
#include "adapters/agent_reply.h"
#include "adapters/subprocess.h"
#include "base/diagnostics.h"
#include "base/result.h"

namespace gpup {

/// What a host's refusal means, by the error's id, category and HRESULT (also where only the message carries one),
/// never by its words. The message holds the host's own text, as it is, shortened.
Diagnostic explain_refusal(const HostTarget& host, const AgentError& error);

/// The same where nothing was to change: the host could not be read.
Diagnostic explain_unreadable(const HostTarget& host, const AgentError& error);

/// `explain_refusal` of a start. Where Windows had no resources for it (0x800705AA), which is how a start without a
/// free partition ends, it is kNoPartition.
Diagnostic explain_start_refusal(const HostTarget& host, const AgentError& error);

/// `held by process 4711 of alice on runner-7 since 2026-11-22T08:41:00Z`.
std::string holder_words(const AgentError& error);

/// The host's own text for people: one line, at most a few hundred characters; what clixml wraps is left out.
std::string host_text(std::string_view text);

// Why there is no session.

/// The program could not be started.
Diagnostic explain_not_started(const HostTarget& host, const AgentLaunch& launch, const Subprocess::NotStarted& why);

/// The program ended by itself. `greeted`: its agent had answered before. `err` and `noise` are the ends of what it
/// said on stderr and on stdout.
Diagnostic explain_ended(const HostTarget& host, const AgentLaunch& launch, const Ending& ending, bool greeted,
                         std::string_view err, std::string_view noise);

/// The near PowerShell opened no PSSession. Over SSH, ssh's own words tell why: they stand in the error, or came before
/// it, in `err` or `noise`.
Diagnostic explain_no_session(const HostTarget& host, const AgentError& error, std::string_view err,
                              std::string_view noise);

/// A diagnostic about a host.
Diagnostic host_trouble(const HostTarget& host, Code code, std::string message, std::string hint = {});

/// Trouble as an error whose message is that of its diagnostic.
Error host_error(ErrorCode code, Diagnostic diagnostic);

}  // namespace gpup
