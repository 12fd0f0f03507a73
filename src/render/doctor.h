#pragma once

#include "base/sink.h"
#include "plan/doctor.h"

namespace gpup {

struct DoctorForm {
  bool full = false;  ///< every check of every VM, also where it passes
  bool color = false;
};

/// A checkup for a terminal: a table for each cluster, host, GPU and VM; how to mend what is not right; the sums.
/// Unless all is asked for, what passes of VMs is told in sums, and VMs of a host about which the same is to be said
/// together. Text from hosts is escaped, and cut where it is long.
void render_doctor_text(const Checkup& checkup, DoctorForm form, Sink& out);

/// A checkup as `schemas/doctor.v1.schema.json` describes it.
void write_doctor_json(const Checkup& checkup, int exit_code, Sink& out);

}  // namespace gpup
