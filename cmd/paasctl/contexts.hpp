// Whether what images are built from and with is there.
#pragma once

#include "session.hpp"

namespace paas::cli {

/// Build contexts lie beside the stack file, so the parser cannot check them. Error invalid with
/// the place in the stack file, all of them at once.
Status check_contexts(Program& program, const Session& session,
                      const std::map<std::string, stack::ImageSource>& images);

/// Error usage when DOCKER_HOST names no engine that can be used.
Status check_engine(Program& program);

}  // namespace paas::cli
