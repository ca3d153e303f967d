// One command's work on one stack: its file, its lockfile, and the clients that reach the rest.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "digitalocean/client.hpp"
#include "docker/engine.hpp"
#include "endpoint.hpp"
#include "lockfile/cloud.hpp"
#include "lockfile/store.hpp"
#include "observe/observe.hpp"
#include "observe/ssh_machines.hpp"
#include "plan/make.hpp"
#include "plan/wanted.hpp"
#include "program.hpp"
#include "reconcile/executor.hpp"
#include "reconcile/images.hpp"
#include "report/plan_file.hpp"
#include "report/progress.hpp"
#include "report/timings.hpp"
#include "scratch.hpp"
#include "ssh/connections.hpp"
#include "stack/model.hpp"

namespace paas::cli {

/// What a command needs of a session.
enum class Need {
  text,    ///< Only the stack file, right by itself; the lockfile and its key are not looked at.
  stack,   ///< The stack file has to be there and right.
  applied  ///< Only what was applied: the lockfile decides, the stack file may be absent or wrong.
};

/// Whether a lockfile has to be as new as what was seen of it on this machine.
enum class Newest { demand, ignore };

/// The lockfile beside the stack file that --file names.
lockfile::FileStore store_of(Program& program);

class Session {
 public:
  /// Reads stack file and lockfile. Nothing is asked over a network yet.
  static Result<std::unique_ptr<Session>> open(Program& program, Need need,
                                               Newest newest = Newest::demand);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes the guard for the rest of the session, unless it has it, and reads the lockfile again
  /// under it.
  Status acquire(const std::string& command);
  /// Takes the guard and begins a lockfile of its own lineage in the place of whatever is there,
  /// for a session with Need::text. The first save() keeps that (lockfile::FileStore::start_anew).
  Status start_anew(const std::string& command);
  /// Stores the lockfile outside of execute(). Needs the guard.
  Status save();
  /// Where start_anew()'s first save keeps what was there; empty when there was nothing.
  std::string replaced_path() const { return store_->replaced_path(); }
  /// What tells a plan file whether it was made here and now.
  report::Origin origin() const { return {store_->text(), store_->key()}; }
  /// Reads the lockfile again, after something else than execute() has written it.
  Status reload();
  /// The provider; for `cloud: local` the local cloud, which is started if need be.
  Result<digitalocean::Client*> client();
  observe::SshMachines& machines();
  ssh::Connections& connections();
  docker::Engine& engine();
  reconcile::Images& images();

  Result<observe::Observed> observe(observe::Depth depth, digitalocean::Client::Reading reading =
                                                              digitalocean::Client::Reading::sure);
  /// Looks at everything and plans. Error unauthorised when a server's host key changed.
  Result<plan::Input> input(observe::Depth depth, reconcile::WithoutEngine without_engine =
                                                      reconcile::WithoutEngine::fail);
  /// What the executor works with. Needs client().
  Result<reconcile::Tools> tools();
  /// Destroys droplets that an interrupted `image save --snapshot` left. Needs the guard.
  Status remove_builders();
  /// The same after a stop was asked for, which ends all that the program's own ports do. A second
  /// interruption ends the process.
  Status remove_builders_in_spite_of_stop();
  report::ProgressStyle progress_style() const;
  /// Carries the plan out with progress; prints failures; the exit status.
  Result<int> execute(const plan::Plan& plan, const plan::Input& input);

  /// The server of that name, also without the stack's name in front ("web-1"). Error not_found
  /// with the nearest name.
  Result<std::string> find_server(const std::string& name) const;
  /// A declared service. Error not_found with the nearest name.
  Result<const stack::Service*> find_service(const std::string& name) const;
  /// Who works on the stack: "anna@laptop"; in CI whoever started the job.
  std::string who() const;
  observe::Target target(const std::string& server) const;

  /// Whether what the lockfile knows may be given up when it is not found (`--accept-loss`).
  lockfile::Loss loss = lockfile::Loss::refuse;
  plan::Kept kept;                                ///< Releases of this run, beside pinned ones.
  std::chrono::milliseconds canary_time{60'000};  ///< How long a canary is watched.
  std::optional<report::Timings> timings;  ///< Of all that is executed, where they are asked for.
  std::vector<plan::Step> failed;          ///< Those of the last execute() that count as failed.
  /// The command that goes on where an interrupted one stopped.
  std::string resume = "paasctl up";
  stack::Stack stack;  ///< As declared, or as applied with Need::applied.
  /// Services of the stack file, whatever becomes of `stack`; absent: it was not read.
  std::optional<std::set<std::string>> declared;
  lockfile::Lockfile lockfile;  ///< As loaded; commands may change it before planning.
  lockfile::Lockfile loaded;    ///< As loaded.
  std::string stack_path;
  std::string folder;   ///< Of the stack file.
  std::string scratch;  ///< Private, removed with the session.

 private:
  Session(Program& program, Newest newest) : program_(program), newest_(newest) {}
  Status read_stack(Need need);
  Status make_scratch();
  std::string resume_hint(const std::vector<plan::DataLoss>& losses,
                          const reconcile::Outcome& outcome) const;
  digitalocean::ClientSettings client_settings(const Endpoint& endpoint);

  Program& program_;
  Newest newest_;
  std::unique_ptr<lockfile::FileStore> store_;
  std::unique_ptr<lockfile::Guard> guard_;
  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<Scratch> archives_;  ///< Of images on their way to servers.
  std::unique_ptr<digitalocean::Client> client_;
  std::optional<lockfile::Cloud> cloud_;  ///< What client_ talks to.
  std::unique_ptr<ssh::Connections> connections_;
  std::unique_ptr<observe::SshMachines> machines_;
  std::unique_ptr<docker::Engine> engine_;
  std::unique_ptr<reconcile::Images> images_;
  std::map<std::string, Secret> certificates_;      ///< Of files, as input() read them last.
  std::map<std::string, std::string> pre_release_;  ///< Hooks by service, the same.
  int steps_done_ = 0;                              ///< By all that was executed.
};

/// This machine's Docker Engine.
docker::Engine engine_of(Program& program);

}  // namespace paas::cli
