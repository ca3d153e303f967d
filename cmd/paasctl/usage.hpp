// What is wrong with a command line, in words.
#pragma once

#include <CLI/CLI.hpp>

#include "base/result.hpp"

namespace paas::cli {

/// CLI11's complaint as an error of kind usage, with the nearest command or option as its hint.
Error explain(const CLI::App& app, const CLI::ParseError& problem);

}  // namespace paas::cli
