// Implementation: the client's messages are stable across versions, its exit status is always 255.
#include "ssh/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "ssh/keys.hpp"

namespace paas::ssh {
namespace {

template <typename Phrases>
bool contains_any(std::string_view text, const Phrases& phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [text](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

/// The first "SHA256:..." in the text: ssh names the key that the server offered.
std::string offered_fingerprint(std::string_view text) {
  const auto start = text.find("SHA256:");
  if (start == std::string_view::npos) return "another kind of key";
  const auto end = text.find_first_of(" \r\n", start);
  auto fingerprint = text.substr(start, end == std::string_view::npos ? end : end - start);
  if (fingerprint.ends_with('.')) fingerprint.remove_suffix(1);
  return std::string(fingerprint);
}

std::string last_line(std::string_view text) {
  const auto all = text::lines(text::trim(text));
  return all.empty() ? "the connection was cut" : std::string(text::trim(all.back()));
}

}  // namespace

bool key_was_refused(std::string_view error_output) {
  constexpr std::array<std::string_view, 2> phrases{"Permission denied (",
                                                    "Too many authentication failures"};
  return contains_any(error_output, phrases);
}

Error connecting_failure(const Host& host, std::string_view error_output) {
  constexpr std::array<std::string_view, 4> host_key_phrases{
      "REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification failed",
      "no matching host key type found", "host key is known for"};
  if (contains_any(error_output, host_key_phrases)) {
    return make_error(
        ErrorKind::unauthorised,
        fmt::format("the host key of {} ({}) is not the pinned one: pinned {}, offered {}",
                    host.name, host.address,
                    fingerprint_sha256(host.host_key.substr(0, host.host_key.find(';'))),
                    offered_fingerprint(error_output)),
        fmt::format("if the server was rebuilt on purpose, accept that with \"paasctl server "
                    "replace {}\"; if not, somebody may be in between",
                    host.name));
  }
  if (key_was_refused(error_output)) {
    return make_error(
        ErrorKind::unauthorised,
        fmt::format("{} ({}) refused the key: {}", host.name, host.address,
                    last_line(error_output)),
        "the stack's own key, those of your SSH agent and your default ones were tried");
  }
  return cut_off(host, error_output);
}

Error cut_off(const Host& host, std::string_view error_output) {
  return make_error(ErrorKind::unreachable,
                    fmt::format("cannot reach {} ({}) over SSH: {}", host.name, host.address,
                                last_line(error_output)));
}

}  // namespace paas::ssh
