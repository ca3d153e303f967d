// Each loop is a thread that checks every answer against its request.
#include "haproxy/support/load.hpp"

#include <fmt/format.h>

#include <chrono>

#include "base/text.hpp"
#include "haproxy/support/connection.hpp"

namespace paas::haproxy::test {

Load::Load(int port) : port_(port) {
  const std::vector<Loop> loops = {
      {"GET", "/", Keep::yes},      {"GET", "/", Keep::no},      {"POST", "/", Keep::yes},
      {"POST", "/", Keep::no},      {"GET", "/slow", Keep::yes}, {"GET", "/slow", Keep::no},
      {"POST", "/slow", Keep::yes}, {"POST", "/slow", Keep::no},
  };
  for (const auto& loop : loops) threads_.emplace_back([this, loop] { run(loop); });
}

Load::~Load() { stop(); }

Tally Load::tally() const {
  const std::lock_guard guard(mutex_);
  return tally_;
}

Tally Load::stop() {
  stopping_ = true;
  for (auto& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  return tally();
}

void Load::run(const Loop& loop) {
  using namespace std::chrono_literals;
  // A bound, should a test hang.
  const auto end = std::chrono::steady_clock::now() + 60s;
  Connection connection(port_);
  for (int number = 0; !stopping_ && std::chrono::steady_clock::now() < end; ++number) {
    Connection::Request request;
    request.method = loop.method;
    request.path = loop.path;
    if (loop.method == "POST") request.body = fmt::format("number {}", number);
    if (loop.keep == Keep::no) request.headers = "Connection: close\r\n";
    const auto answer = connection.ask(request);
    if (loop.keep == Keep::no) connection.close();
    {
      const std::lock_guard guard(mutex_);
      ++tally_.requests;
      if (loop.method == "POST") ++tally_.posts;
      const auto lines = answer ? text::lines(answer->body) : std::vector<std::string>{};
      if (!answer) {
        tally_.failures.push_back(loop.method + " " + loop.path + ": " + describe(answer.error()));
      } else if (answer->status != 200 || lines.size() < 2 || lines[1] != request.body) {
        tally_.failures.push_back(loop.method + " " + loop.path + ": " + answer->head +
                                  answer->body);
      } else {
        ++tally_.by_server[lines[0]];
      }
    }
    // Room for the others on a small machine; the pace is no part of what is tested.
    std::this_thread::sleep_for(2ms);
  }
}

}  // namespace paas::haproxy::test
