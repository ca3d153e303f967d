// Reads, writes and waits with poll(2).
#include "cloud/connection.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace paas::cloud {
namespace {

enum class Ready { no, yes, stopped };

/// A negative descriptor is nobody.
Ready await(int descriptor, short events, int stop, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    std::array<pollfd, 2> watched{pollfd{descriptor, events, 0}, pollfd{stop, POLLIN, 0}};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto found = ::poll(watched.data(), watched.size(),
                              static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return Ready::no;
    // A client that is gone is found out by reading.
    if (watched[0].revents != 0) return Ready::yes;
    return Ready::stopped;
  }
}

using NameOf = int (*)(int, sockaddr*, socklen_t*);

void read_name(NameOf name_of, socket_t socket, std::string& address, int& port) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* generic = reinterpret_cast<sockaddr*>(&storage);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  if (name_of(socket, generic, &length) != 0) return;
  if (::getnameinfo(generic, length, host.data(), host.size(), service.data(), service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return;
  }
  address = host.data();
  port = std::stoi(service.data());
}

}  // namespace

StopSignal::StopSignal() : descriptor_(::eventfd(0, EFD_CLOEXEC)) {}

StopSignal::~StopSignal() { ::close(descriptor_); }

void StopSignal::raise() {
  const std::uint64_t one = 1;
  // Nobody takes it back, so that a second time changes nothing.
  static_cast<void>(::write(descriptor_, &one, sizeof one));
}

Connection::Connection(socket_t socket, const StopSignal& stop, std::chrono::milliseconds patience)
    : socket_(socket), stop_(stop), patience_(patience) {}

Connection::~Connection() {
  if (!is_cut_) ::shutdown(socket_, SHUT_RDWR);
  ::close(socket_);
}

bool Connection::await_request(std::chrono::milliseconds timeout) {
  if (is_cut_) return false;
  if (taken_ < buffered_) return true;
  return await(socket_, POLLIN, stop_.descriptor(), timeout) == Ready::yes;
}

bool Connection::wait(std::chrono::milliseconds duration) {
  return await(-1, 0, stop_.descriptor(), duration) == Ready::no;
}

bool Connection::skip(std::uint64_t size) {
  std::array<char, 4096> unread{};
  while (size > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, unread.size()));
    const auto count = read(unread.data(), wanted);
    if (count <= 0) return false;
    size -= static_cast<std::uint64_t>(count);
  }
  return true;
}

void Connection::cut() {
  // Closing a socket that lingers for no time resets the connection (socket(7), SO_LINGER).
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  is_cut_ = true;
}

bool Connection::is_readable() const {
  return taken_ < buffered_ || await(socket_, POLLIN, -1, patience_) == Ready::yes;
}

bool Connection::is_writable() const {
  return !is_cut_ && await(socket_, POLLOUT, -1, patience_) == Ready::yes;
}

ssize_t Connection::read(char* buffer, size_t size) {
  if (taken_ == buffered_) {
    if (!is_readable()) return -1;
    ssize_t count = 0;
    do {
      count = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count <= 0) return count;
    buffered_ = static_cast<std::size_t>(count);
    taken_ = 0;
  }
  const auto count = std::min(size, buffered_ - taken_);
  std::memcpy(buffer, buffer_.data() + taken_, count);
  taken_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* data, size_t size) {
  if (!is_writable()) return -1;
  ssize_t count = 0;
  do {
    count = ::send(socket_, data, size, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count;
}

void Connection::get_remote_ip_and_port(std::string& address, int& port) const {
  read_name(::getpeername, socket_, address, port);
}

void Connection::get_local_ip_and_port(std::string& address, int& port) const {
  read_name(::getsockname, socket_, address, port);
}

}  // namespace paas::cloud
