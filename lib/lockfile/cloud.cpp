// Compares the cloud that a lockfile was applied to with the one that a run talks to.
#include "lockfile/cloud.hpp"

#include <fmt/format.h>

namespace paas::lockfile {
namespace {

void forget_resources(Lockfile& lockfile) {
  lockfile.servers.clear();
  lockfile.volumes.clear();
  lockfile.firewalls.clear();
  lockfile.temporary.clear();
  lockfile.vpc.reset();
  lockfile.vpc_range.clear();
  if (lockfile.lb) {
    lockfile.lb->reserved_ip.clear();
    lockfile.lb->intended_for.clear();
  }
  if (lockfile.ssh_key) lockfile.ssh_key->key.id.clear();
}

std::string difference(const Lockfile& lockfile, const Cloud& cloud) {
  if (lockfile.cloud_url != cloud.url) {
    return fmt::format("the lockfile was applied to {}, this run would go to {}",
                       lockfile.cloud_url, cloud.url);
  }
  return fmt::format("the lockfile was applied to account {} of {}, this token is for account {}",
                     lockfile.cloud_account, cloud.url,
                     cloud.account.empty() ? "unknown" : cloud.account);
}

}  // namespace

bool knows_resources(const Lockfile& lockfile) {
  return !lockfile.servers.empty() || !lockfile.volumes.empty() || !lockfile.firewalls.empty() ||
         !lockfile.temporary.empty() || lockfile.vpc ||
         (lockfile.ssh_key && !lockfile.ssh_key->key.id.empty()) ||
         (lockfile.lb && !lockfile.lb->reserved_ip.empty());
}

Status bind_cloud(Lockfile& lockfile, const Cloud& cloud, Loss loss) {
  const bool same = (lockfile.cloud_url.empty() || lockfile.cloud_url == cloud.url) &&
                    (lockfile.cloud_account.empty() || lockfile.cloud_account == cloud.account);
  if (!same && knows_resources(lockfile)) {
    if (loss == Loss::refuse) {
      return fail(
          ErrorKind::invalid, difference(lockfile, cloud),
          "use that cloud's address and token, or another stack file; if everything there "
          "is gone for good, `paasctl up --accept-loss` starts anew and `down --accept-loss` "
          "forgets it");
    }
    forget_resources(lockfile);
  }
  lockfile.cloud_url = cloud.url;
  lockfile.cloud_account = cloud.account;
  return {};
}

}  // namespace paas::lockfile
