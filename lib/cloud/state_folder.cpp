// Takes a cloud's guard, and removes what was left.
#include "cloud/state_folder.hpp"

#include <unistd.h>

#include "cloud/settings.hpp"

namespace paas::cloud {

/// Somebody who only asks whether the cloud runs holds the guard for a moment, so one refusal is
/// none.
Result<std::unique_ptr<FileGuard>> take_guard(Files& files, Clock& clock,
                                              const std::string& state_folder) {
  constexpr int attempts = 40;
  constexpr std::chrono::milliseconds pause{25};
  for (int attempt = 0; attempt < attempts; ++attempt) {
    PAAS_TRY(auto guard, files.try_guard(guard_file(state_folder), std::to_string(::getpid())));
    if (guard != nullptr) return guard;
    PAAS_CHECK(clock.wait(pause));
  }
  return fail(ErrorKind::guard_held, "a local cloud runs in " + state_folder + " already",
              "`paasctl cloud down` ends it.");
}

void remove_leftovers(Files& files, const std::string& state_folder) {
  const auto names = files.list(state_folder);
  if (!names) return;
  for (const auto& name : *names) {
    for (const auto* file : {".state.json.", ".endpoint.json.", ".settings.json."}) {
      if (name.rfind(file, 0) == 0) static_cast<void>(files.remove(state_folder + "/" + name));
    }
  }
}

}  // namespace paas::cloud
