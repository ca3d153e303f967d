// Makes certificates: the stack's own authority, what it signs, and a placeholder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "tls/certificate.hpp"

namespace paas::tls {

constexpr std::int64_t day_seconds = 86400;
/// Of what an authority signs.
constexpr std::int64_t leaf_seconds = 90 * day_seconds;

/// An authority of its own, for ten years: an EC key on P-256 and a certificate that it signed
/// itself, named after `stack`. `now` is Unix time in seconds.
Result<Pair> make_authority(const std::string& stack, std::int64_t now);

/// A certificate for these hosts, for 90 days, signed by the authority. Error invalid: the
/// authority's own key or certificate cannot be read.
Result<Pair> make_leaf(const Pair& authority, const std::vector<std::string>& hosts,
                       std::int64_t now);

/// What HAProxy shows to those who ask for a name that it has no certificate for: one that nobody
/// trusts, signed by itself, for no host.
Result<Pair> make_placeholder(std::int64_t now);

/// Whether less than a third of its life is left.
bool is_due(const Certificate& certificate, std::int64_t now);

}  // namespace paas::tls
