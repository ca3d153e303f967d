// The server's side of one HTTP connection, for cpp-httplib to read from and write to.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>

namespace paas::cloud {

/// Wakes up everybody who waits for a client, once and for good.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  void raise();
  /// Readable when it was raised.
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/// Owns the socket. Unlike the library's own stream it can end without an answer, as a connection
/// does that a network cuts, and waits without waking up in between.
class Connection : public httplib::Stream {
 public:
  /// How long a client may take over each part of a request or of an answer.
  Connection(socket_t socket, const StopSignal& stop, std::chrono::milliseconds patience);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// False when none came in that time, or the server is to stop.
  bool await_request(std::chrono::milliseconds timeout);
  /// False when the server is to stop before that.
  bool wait(std::chrono::milliseconds duration);
  /// Reads so many bytes of a request that nobody needs. False when they did not come.
  bool skip(std::uint64_t size);
  /// What follows on it cannot be told from what was not understood.
  void end_after_answer() { is_last_ = true; }
  bool is_last() const { return is_last_; }
  /// Nothing more is written, and the client's next read fails with a reset.
  void cut();

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* buffer, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  socket_t socket_;
  const StopSignal& stop_;
  std::chrono::milliseconds patience_;
  bool is_cut_ = false;
  bool is_last_ = false;
  std::array<char, 4096> buffer_{};  ///< Requests are read by lines, byte by byte.
  std::size_t buffered_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace paas::cloud
