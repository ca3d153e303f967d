// What this machine saw of a lockfile last, so that an older or another one in its place is
// noticed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "ports/environment.hpp"
#include "ports/files.hpp"

namespace paas::lockfile {

/// A text of a lockfile, told from others.
struct Sighting {
  std::string lineage;
  std::int64_t serial = 0;
  std::string digest;  ///< SHA-256 of the text.
  friend bool operator==(const Sighting&, const Sighting&) = default;
};

/// Kept in $XDG_STATE_HOME/paasctl/lockfiles (by default ~/.local/state): the newest sighting of
/// each lineage, and the lineage that was last at each place. It is a help and no authority: a
/// machine that has none, such as a fresh runner of continuous integration, goes without, and what
/// cannot be read or written is as if it had never been seen.
class Sightings {
 public:
  /// `place` is where the lockfile lies, and belongs to one stack: another stack's lockfile there,
  /// as on another branch, is no foreign one.
  Sightings(Files& files, Environment& environment, std::string place);

  /// Of the lineage, if it was seen here.
  std::optional<Sighting> newest(const std::string& lineage);
  /// The lineage that was last at this place for the stack.
  std::optional<std::string> lineage_here(const std::string& stack);
  /// Nothing is written when it is known already.
  void remember(const Sighting& sighting, const std::string& stack);

 private:
  std::string folder() const;
  std::string path_of_lineage(const std::string& lineage) const;
  std::string path_of_place(const std::string& stack) const;
  std::optional<std::string> read(const std::string& path);
  void write(const std::string& path, const std::string& text);

  Files& files_;
  Environment& environment_;
  std::string place_;
};

/// Whether `current` may be gone on from. `newest` is what was seen of its lineage, `here` the
/// lineage seen last at its place. Error (invalid) with the way out.
Status check_sighting(const std::string& location, const Sighting& current,
                      const std::optional<Sighting>& newest,
                      const std::optional<std::string>& here);

}  // namespace paas::lockfile
