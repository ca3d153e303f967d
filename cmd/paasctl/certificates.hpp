// Certificate files are looked at before anything is done with them.
#pragma once

#include "reconcile/certificates.hpp"
#include "session.hpp"

namespace paas::cli {

/// Reads the certificates of the session's stack and says its warnings. Error (invalid) with a line
/// for each one that cannot be used, with its place in the stack file.
Result<reconcile::Certificates> read_certificates(Program& program, const Session& session);

}  // namespace paas::cli
