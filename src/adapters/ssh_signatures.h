#pragma once

#include <memory>

#include "execute/signatures.h"

namespace gpup {

/// Signatures of OpenSSH (`PROTOCOL.sshsig`), made and checked by the system's ssh-keygen: what it takes by hand is
/// taken here.
std::unique_ptr<Signatures> make_ssh_signatures();

}  // namespace gpup
