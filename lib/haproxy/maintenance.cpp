// Renders, reads and turns the switch.
#include "haproxy/maintenance.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "haproxy/configuration.hpp"
#include "haproxy/render.hpp"
#include "haproxy/server_options.hpp"

namespace paas::haproxy {

namespace {

/// It needs nothing else, and takes the reader's colours.
constexpr std::string_view page =
    "<!doctype html><html lang=en><meta charset=utf-8>"
    "<meta name=viewport content='width=device-width,initial-scale=1'><title>Back soon</title>"
    "<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:20vh auto;padding:0 1em;"
    "color:CanvasText;background:Canvas;color-scheme:light dark}</style>"
    "<h1>Back soon</h1><p>This site is being worked on. Please try again in a few minutes.</p>\n";

constexpr int retry_after_seconds = 60;

/// Inside double quotes of a configuration. A line may have 50 KiB and more (measured, 2.6.12).
std::string quoted(std::string_view text) {
  constexpr std::string_view harmless = " !&'()*+,-./:;<=>?@[]^_{|}~";
  std::string result;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || harmless.find(c) != std::string_view::npos;
    if (is_plain) {
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

Server switch_as(bool on) { return {std::string(maintenance_server), "127.0.0.1", 9, on ? 1 : 0}; }

}  // namespace

// What comes before it in the frontend goes on: the health endpoint and the redirect to https. An
// authority's questions are answered as well, by whoever does so.
void render_maintenance(Output out, const Setup& setup) {
  const std::string_view own = setup.traffic.maintenance.html;
  fmt::format_to(out,
                 "    http-request return status 503 content-type \"text/html; charset=utf-8\" "
                 "string \"{}\" hdr Retry-After {} hdr Cache-Control no-store if {{ nbsrv({}) gt 0 "
                 "}}{}\n",
                 quoted(own.empty() ? page : own), retry_after_seconds, maintenance_backend,
                 setup.tls ? " !{ path_beg /.well-known/acme-challenge/ }" : "");
}

void render_maintenance_switch(Output out, const Setup& setup) {
  fmt::format_to(out, "\nbackend {}\n    {}\n", maintenance_backend,
                 server_line(switch_as(setup.maintenance)));
}

std::optional<bool> maintenance_of(std::string_view configuration) {
  for (const bool on : {false, true}) {
    const auto line = fmt::format("    {}", server_line(switch_as(on)));
    for (const auto& each : text::lines(configuration)) {
      if (each == line) return on;
    }
  }
  return std::nullopt;
}

std::string with_maintenance(std::string_view configuration, bool on) {
  return with_servers(configuration, std::string(maintenance_backend), {switch_as(on)});
}

}  // namespace paas::haproxy
