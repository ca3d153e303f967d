// All that the executor works with, in memory: the local cloud's core as the provider, servers that
// are plain values, and a fuse that ends everything after a number of effects.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cloud/core.hpp"
#include "docker/engine.hpp"
#include "observe/observe.hpp"
#include "reconcile/executor.hpp"
#include "reconcile/images.hpp"
#include "reconcile/snapshot.hpp"

namespace paas::reconcile::testing {

/// Counts effects on the world. The one that blows it takes place, but nobody hears of it, and
/// nothing takes place afterwards: as if the process had been killed there.
class Fuse {
 public:
  void set(int effects) { left_ = effects; }
  /// Whether anything still happens.
  bool blown() const { return blown_; }
  /// Called after an effect took place; an error when that was the last one.
  Status spend() {
    ++spent_;
    if (--left_ == 0) blown_ = true;
    return check();
  }
  Status check() const {
    if (blown_) return fail(ErrorKind::interrupted, "killed");
    return {};
  }
  int spent() const { return spent_; }

 private:
  std::atomic<int> left_{-1};
  std::atomic<int> spent_{0};
  std::atomic<bool> blown_{false};
};

/// Moves only when somebody waits.
class RigClock : public Clock {
 public:
  explicit RigClock(Fuse& fuse) : fuse_(fuse) {}
  std::chrono::system_clock::time_point now() override;
  std::chrono::milliseconds monotonic() override { return time_.load(); }
  Status wait(std::chrono::milliseconds duration) override;

 private:
  Fuse& fuse_;
  std::atomic<std::chrono::milliseconds> time_{std::chrono::milliseconds{1000}};
};

/// The cloud's core behind HTTP; its effects end at once.
class CloudHttp : public Http {
 public:
  CloudHttp(cloud::State& state, Fuse& fuse) : state_(state), fuse_(fuse) {}
  Result<HttpResponse> send(const HttpRequest& request) override;
  /// To the cloud itself.
  Result<HttpResponse> pass(const HttpRequest& request);

  /// Stands between the client and the cloud, where it is given.
  std::function<Result<HttpResponse>(const HttpRequest&)> intercept;
  /// The next request of this method and path takes effect, but its answer is lost.
  std::string cut_next;
  std::vector<std::string> changes;  ///< "POST /v2/droplets" ...
  /// So many answers about the firewalls of a droplet come too early: they list none.
  int early_answers = 0;
  /// A droplet is destroyed only after so many looks at droplets.
  int looks_at_leaving = 0;
  int single_looks = 0;  ///< How often one droplet was asked for.

 private:
  cloud::Answer answer(const cloud::Request& request);
  void note_look(const std::string& path);

  cloud::State& state_;
  Fuse& fuse_;
  std::mutex mutex_;
  cloud::Request destruction_;  ///< Accepted, and still to be done.
  int looks_left_ = 0;
};

/// Servers' insides by name. They outlive a run.
struct Insides {
  std::map<std::string, observe::Machine> machines;
  std::map<std::string, std::map<std::string, std::string>> addresses;  ///< HAProxy's, by backend.
  int reloads = 0;
  std::vector<std::string> grown;  ///< Devices whose file systems were told to fill them.
};

class RigMachines : public observe::Machines {
 public:
  RigMachines(Insides& insides, Fuse& fuse) : insides_(insides), fuse_(fuse) {}

  Status await_ssh(const observe::Target& target, std::chrono::milliseconds) override;
  Status await_cloud_init(const observe::Target&, std::chrono::milliseconds) override;
  Status await_docker(const observe::Target&, std::chrono::milliseconds) override;
  Result<std::string> make_host_key(const observe::Target& target) override;
  Status use_host_key(const observe::Target&, const std::string&) override;
  Status mount_volume(const observe::Target& target, const observe::VolumeMount& mount) override;
  Status unmount_volume(const observe::Target& target, const observe::VolumeMount& mount) override;
  Result<observe::Machine> look(const observe::Target& target, const std::string&, bool) override;
  Status write_file(const observe::Target&, const std::string&, std::string_view,
                    std::uint32_t) override;
  Status rewrite_in_place(const observe::Target& target, const std::string& path,
                          std::string_view content) override;
  Result<ProcessResult> run(const observe::Target& target,
                            const observe::RemoteCommand& command) override;
  Result<bool> send_image(const observe::Target&, const docker::SavedImage&,
                          const observe::OnBytes&) override;
  Result<std::string> pull_image(const observe::Target& target,
                                 const std::string& reference) override;
  Status start_container(const observe::Target& target, const docker::ContainerSpec& spec) override;
  Status resume_container(const observe::Target& target, const std::string& name) override;
  Status stop_container(const observe::Target& target, const std::string& name) override;
  Status remove_container(const observe::Target& target, const std::string& name) override;
  Result<std::optional<docker::ContainerInfo>> container(const observe::Target& target,
                                                         const std::string& name) override;
  Result<std::string> recent_logs(const observe::Target&, const std::string&, int) override;
  Result<bool> healthy(const observe::Target&, const std::string& container, int,
                       const std::string&, int) override;
  Result<std::string> balancer_command(const observe::Target& target,
                                       const std::string& command) override;
  Status install_balancer(const observe::Target& target, std::string_view configuration,
                          Reload reload) override;

  /// Starting a container of one of these services fails.
  std::set<std::string> broken;
  /// Tags of images moved upstream: pulls bring another image than before.
  bool moved = false;
  /// Containers that run and do not answer.
  std::set<std::string> unhealthy;
  /// The run is interrupted while it waits for this container.
  std::string interrupted_at;

 private:
  observe::Machine& inside(const observe::Target& target);
  observe::Container* find(const observe::Target& target, const std::string& name);
  Status change_container(const observe::Target& target, const std::string& name,
                          const std::string& state);

  Insides& insides_;
  Fuse& fuse_;
  std::recursive_mutex mutex_;
};

/// What stays when a run ends: the cloud, the servers, the lockfile on disk.
struct World {
  World();
  cloud::State cloud;
  Insides insides;
  lockfile::Lockfile stored;
};

/// One run of paasctl.
class Rig {
 public:
  Rig(World& world, std::string_view yaml);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  Result<plan::Plan> plan();
  Result<Outcome> up();
  Result<Outcome> down(plan::Volumes volumes);
  Result<digitalocean::Snapshot> save_snapshot(const std::string& service);
  Status remove_builders();

  World& world;
  stack::Stack stack;
  Fuse fuse;
  RigClock clock{fuse};
  CloudHttp http{world.cloud, fuse};
  RigMachines machines{world.insides, fuse};
  Options options;
  std::vector<Event> events;

 private:
  Result<plan::Input> input();
  Tools tools();
  Result<Outcome> execute(const plan::Plan& plan, const lockfile::Lockfile& loaded,
                          const std::map<std::string, plan::ImageState>& images);

  struct Ports;
  std::unique_ptr<Ports> ports_;
};

}  // namespace paas::reconcile::testing
