// Images as they are known before a run, and releases that services are kept at.
#pragma once

#include <optional>
#include <string>

namespace paas::plan {

/// What is known of an image before anything is built.
struct ImageState {
  std::string reference;  ///< "paas-zipkick-web:..." or what is pulled.
  std::optional<std::string>
      digest;  ///< Of the configuration; absent: only known after build or pull.
  bool needs_build = false;
  std::string cause;    ///< Why it needs a build.
  bool pulled = false;  ///< Servers get it from a registry.
};

/// A release that a service is kept at, whatever the stack file says.
struct Held {
  int release = 0;
  ImageState image;
};

}  // namespace paas::plan
