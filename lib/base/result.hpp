// The result of what can fail: a value or an Error.
#pragma once

#include <tl/expected.hpp>

#include "base/error.hpp"

namespace paas {

template <typename T>
using Result = tl::expected<T, Error>;

/// A Result that carries no value.
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorKind kind, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(make_error(kind, std::move(message), std::move(hint)));
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

inline tl::unexpected<Error> fail(Error error, std::string doing) {
  return tl::unexpected<Error>(with_context(std::move(error), std::move(doing)));
}

}  // namespace paas

#define PAAS_CONCATENATE_INNER(a, b) a##b
#define PAAS_CONCATENATE(a, b) PAAS_CONCATENATE_INNER(a, b)

/// PAAS_TRY(auto name, expression): leaves the function with the error, or declares the value.
#define PAAS_TRY(declaration, expression) \
  PAAS_TRY_IMPL(PAAS_CONCATENATE(paas_result_, __LINE__), declaration, expression)
#define PAAS_TRY_IMPL(result, declaration, expression)                 \
  auto&& result = (expression);                                        \
  if (!result) return ::tl::unexpected<::paas::Error>(result.error()); \
  declaration = std::move(*result)

/// PAAS_CHECK(expression): leaves the function with the error of a Status.
#define PAAS_CHECK(expression)                                                \
  do {                                                                        \
    if (auto&& paas_status = (expression); !paas_status) {                    \
      return ::tl::unexpected<::paas::Error>(std::move(paas_status.error())); \
    }                                                                         \
  } while (false)
