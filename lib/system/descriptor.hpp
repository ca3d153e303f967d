// A file descriptor that closes itself, and one that becomes readable when a stop is requested.
#pragma once

#include <stop_token>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace paas::system {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }

  int get() const { return number_; }
  bool open() const { return number_ >= 0; }
  void reset();

 private:
  int number_ = -1;
};

/// Becomes readable for poll(2) once its token's stop was requested, and stays so.
class StopEvent {
 public:
  explicit StopEvent(std::stop_token token);
  int descriptor() const { return event_.get(); }

 private:
  struct Signal {
    int descriptor;
    void operator()() const noexcept;
  };
  Descriptor event_;
  std::stop_callback<Signal> callback_;
};

/// The error of a failed system call: "WHAT: No such file or directory". ENOENT is not_found,
/// EEXIST is exists, everything else failed.
tl::unexpected<Error> fail_errno(int number, const std::string& what);

}  // namespace paas::system
