// What builds are called, and the labels that tell what they were made from.
#pragma once

#include <string>

namespace paas::reconcile {

/// The digest of a build's sources.
constexpr const char* sources_label = "paas.sources";
/// The commit that it was built from (a key of the OCI image specification's annotations).
constexpr const char* revision_label = "org.opencontainers.image.revision";

/// "paas-zipkick-web:e2ef9d0ec241"
std::string reference_of(const std::string& stack, const std::string& image,
                         const std::string& sources);

}  // namespace paas::reconcile
