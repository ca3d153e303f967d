// What went wrong, as a value: the kind to branch on, the message to show, the hint to advise with.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace paas {

enum class ErrorKind {
  failed,        ///< An operation did not succeed; nothing more specific is known.
  usage,         ///< The command line was wrong.
  invalid,       ///< A stack file, a lockfile or another input has something wrong in it.
  not_found,     ///< What was asked for does not exist.
  exists,        ///< What was to be made is already there.
  unreachable,   ///< A service did not answer; whether the request took effect is unknown.
  unauthorised,  ///< A token or a key was refused.
  guard_held,    ///< Another run holds the guard.
  limited,       ///< A rate or a resource limit was hit.
  interrupted,   ///< The user asked to stop.
  timed_out,     ///< Something did not happen in the time it was given.
};

/// Whether what was asked for may have happened all the same.
enum class TookEffect {
  maybe,
  no,  ///< It was not asked for, or refused by the one who was asked.
};

struct Error {
  ErrorKind kind = ErrorKind::failed;
  std::string message;
  std::string hint;
  /// What the layers above were doing, innermost first.
  std::vector<std::string> context;
  TookEffect took_effect = TookEffect::maybe;
};

inline Error make_error(ErrorKind kind, std::string message, std::string hint = {}) {
  return Error{kind, std::move(message), std::move(hint), {}, TookEffect::maybe};
}

/// Adds what the caller was doing, for example "creating server zipkick-web-1".
inline Error with_context(Error error, std::string doing) {
  error.context.push_back(std::move(doing));
  return error;
}

/// One line without the hint: "creating server x: connecting to y: refused".
std::string describe(const Error& error);

}  // namespace paas
