// Implementation of self-closing descriptors and stop events.
#include "system/descriptor.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <system_error>

namespace paas::system {

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

void StopEvent::Signal::operator()() const noexcept {
  const std::uint64_t one = 1;
  // The counter cannot overflow: the callback of a stop runs once.
  [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof one);
}

// A failed eventfd leaves -1, which poll(2) skips: the stop is then seen late, not wrongly.
StopEvent::StopEvent(std::stop_token token)
    : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      callback_(std::move(token), Signal{event_.get()}) {}

tl::unexpected<Error> fail_errno(int number, const std::string& what) {
  auto kind = ErrorKind::failed;
  if (number == ENOENT) kind = ErrorKind::not_found;
  if (number == EEXIST) kind = ErrorKind::exists;
  return fail(kind, fmt::format("{}: {}", what, std::generic_category().message(number)));
}

}  // namespace paas::system
