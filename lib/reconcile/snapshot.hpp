// Machine images of a server type, made from a builder droplet that never held a secret.
#pragma once

#include <map>
#include <string>

#include "reconcile/executor.hpp"

namespace paas::reconcile {

/// Creates a builder droplet, lets cloud-init install everything, loads the service's image, wipes
/// what makes a machine one of its kind, powers it off, takes the snapshot and destroys the
/// droplet. Its name is written down before, so that the next call removes a builder that an
/// interrupted one left.
Result<digitalocean::Snapshot> save_snapshot(const stack::Stack& stack, const std::string& service,
                                             const lockfile::Lockfile& loaded,
                                             const std::map<std::string, plan::ImageState>& images,
                                             Tools& tools, const Options& options);

/// Destroys builder droplets that an interrupted run left behind.
Status remove_builders(const lockfile::Lockfile& loaded, Tools& tools, const Options& options);

}  // namespace paas::reconcile
