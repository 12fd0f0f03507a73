#pragma once

#include "cli/call.h"
#include "cli/world.h"

namespace gpup {

// One function a command; each returns the exit code.
int run_validate(const Call& call);
int run_fmt(const Call& call);
int run_doctor(const Call& call);
int run_observe(const Call& call);
int run_plan(const Call& call);
int run_show(const Call& call);
int run_verify_receipt(const Call& call);
int run_bundle(const Call& call);
int run_apply(const Call& call, WritingWorld& world);
int run_restore_power(const Call& call, WritingWorld& world);
int run_resume(const Call& call, WritingWorld& world);
int run_rollback(const Call& call, WritingWorld& world);
int run_history(const Call& call);
int run_drift(const Call& call);
int run_export(const Call& call);
int run_why(const Call& call);
int run_explain(const Call& call);
int run_schema(const Call& call);
int run_agent(const Call& call);
int run_version(const Call& call);
int run_help(const Call& call);
int run_completion(const Call& call);

}  // namespace gpup
