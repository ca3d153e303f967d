// Which cloud a lockfile belongs to: an endpoint, and whose account it is.
#pragma once

#include <string>

#include "base/result.hpp"
#include "lockfile/model.hpp"

namespace paas::lockfile {

/// What a run talks to.
struct Cloud {
  std::string url;      ///< The endpoint, by a name that stays the same though a port may change.
  std::string account;  ///< Identifies whose resources the token sees.
};

/// Whether what the lockfile knows may be given up when it is not found.
enum class Loss { refuse, accept };

/// Whether the lockfile knows something that was made in a cloud and may still be there.
bool knows_resources(const Lockfile& lockfile);

/// Writes the cloud into the lockfile. Error (invalid) when it knows resources of another one: seen
/// from here all of them look as if they were gone. With Loss::accept those are forgotten instead,
/// so that nothing of the other cloud is ever touched by an identifier that means something else
/// here; numbers, ports and passwords stay. A lockfile that does not know its account yet takes
/// this one's.
Status bind_cloud(Lockfile& lockfile, const Cloud& cloud, Loss loss);

}  // namespace paas::lockfile
