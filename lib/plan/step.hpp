// A plan: steps with their causes and their order.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lockfile/model.hpp"
#include "plan/cost.hpp"
#include "plan/held.hpp"
#include "stack/model.hpp"

namespace paas::plan {

enum class StepKind {
  create_key,           ///< Make and register the stack's SSH key.
  create_vpc,           ///< The stack's private network.
  create_firewall,      ///< With the tags it names.
  update_firewall,      ///< Replace its rules, but for those of the stack's own that are too much.
  close_firewall,       ///< Take those away as well.
  delete_firewall,      ///
  build_image,          ///< On the local engine, or look up where it is pulled from.
  create_volume,        ///
  resize_volume,        ///
  tag_volume,           ///< The stack's tag, by which it is found when the lockfile is lost.
  delete_volume,        ///
  create_server,        ///< The droplet, until it is active with its addresses.
  prepare_server,       ///< SSH, cloud-init, Docker, host key rotated.
  tag_server,           ///< Tags that the droplet lacks.
  untag_server,         ///< Tags that it has too much.
  power_on_server,      ///
  attach_volume,        ///< Attach, format if empty, mount.
  send_image,           ///< To one server, only the layers that it lacks.
  keep_warm,            ///< What a server's first container would have to wait for is seen to.
  run_pre_release,      ///< A hook, in a container of the service's new release, until it ends.
  start_container,      ///< A container of the service's current release, until it is healthy.
  resume_container,     ///< One that stopped and is as it has to be, with the data that it has.
  set_password,         ///< The service takes a new password, beside the one before.
  retire_password,      ///< All dependents have the new one: no other is taken any more.
  retire_container,     ///< Containers of older releases on a server; the last is kept stopped.
  stop_container,       ///< db and cache: before their volume moves to another server.
  create_address,       ///< The load balancer's reserved IP.
  assign_address,       ///< Move it to the load balancer's droplet.
  put_certificates,     ///< On the load balancer, without a reload.
  move_certificates,    ///< What an ACME client got, to the load balancer that takes the place.
  issue_certificates,   ///< An ACME client there gets them.
  remove_certificates,  ///< From the load balancer.
  prepare_balancer,     ///< What shall be served beside what is, with the rules of now; reloads.
  configure_balancer,   ///< HAProxy's configuration beside its servers; reloads.
  add_to_rotation,      ///< Through the Runtime API, after a passed check.
  let_in,               ///< Servers whose new containers HAProxy has checked get the requests.
  watch_canary,         ///< HAProxy's figures of the new containers, held against the old ones'.
  set_weight,           ///< What a server in rotation gets of the requests, as it was told by hand.
  set_maintenance,      ///< A page for all public requests instead of the services, or no more.
  remove_from_rotation,  ///< Drain, wait, delete.
  write_hosts,           ///< Where containers find lb.internal.
  delete_server,         ///< The droplet, until it is gone.
  forget_server,         ///< One whose droplet does not exist any more.
  release_address,       ///
  delete_tags,           ///
  delete_vpc,            ///
  delete_key,            ///
};

enum class Change { create, update, remove };

/// What a step answers to.
enum class Reason {
  change,      ///< The stack file, an image or a number of servers is not what was applied.
  drift,       ///< What exists is not what was applied: somebody or something else changed it.
  unfinished,  ///< An earlier run began it and was interrupted or failed.
  request,     ///< The command asks for it, as `server replace` and `down` do.
};

/// Why a step is needed.
struct Cause {
  Reason reason = Reason::change;
  std::string text;  ///< For people; empty: it is not needed.
  bool empty() const { return text.empty(); }
};

inline Cause change(std::string text) { return {Reason::change, std::move(text)}; }
inline Cause drift(std::string text) { return {Reason::drift, std::move(text)}; }
inline Cause unfinished(std::string text) { return {Reason::unfinished, std::move(text)}; }
inline Cause request(std::string text) { return {Reason::request, std::move(text)}; }

/// One action. Which fields are set depends on the kind.
struct Step {
  std::string id;  ///< "create_server/zipkick-web-1": unique in the plan.
  StepKind kind = StepKind::create_key;
  std::string service;             ///< Service or "lb".
  std::string server;              ///< Server name.
  std::string subject;             ///< Volume, firewall, image or HAProxy server name, or who
                                   ///< certificates are moved from; else empty.
  std::string detail;              ///< What is made, for people: "s-1vcpu-1gb in nyc3".
  std::string cause;               ///< Why it is needed.
  Reason reason = Reason::change;  ///< The kind of the cause.
  std::vector<std::string> after;  ///< Identifiers of steps that must be done before.
  std::vector<std::string> batch;  ///< Servers that change over together.
  /// Of requests that HAProxy gives to what is put into rotation: absent, as to all; 0: none yet.
  std::optional<int> weight;
};

/// Something that a plan destroys with data that is nowhere else, or a database's server.
struct DataLoss {
  std::string name;      ///< Of the server or volume: what has to be typed.
  std::string service;   ///< Whose data it is.
  std::string step;      ///< Identifier of the step that destroys it.
  std::string text;      ///< "volume zipkick-db, with all data of db, for good"
  bool is_kept = false;  ///< The data: it stays on its volume, and its server goes.
};

struct Plan {
  std::vector<Step> steps;  ///< In an order in which they could be done one by one.
  /// What the executor starts from: the lockfile with the names, ports and counts that were
  /// allocated here.
  lockfile::Lockfile lockfile;
  /// What the user should know but no step mends: a server that could not be looked at, a volume
  /// that is kept.
  std::vector<std::string> warnings;
  /// Servers that should be as the stack says and could not be looked at: whether they are is
  /// unknown.
  std::vector<std::string> unreached;
  std::vector<DataLoss> losses;      ///< Each has to be confirmed by its name.
  std::optional<MonthlyCost> cost;   ///< When somebody asked for the prices.
  std::map<std::string, Held> held;  ///< By service: the releases that they are kept at.
  /// It powers servers on and does nothing else: the rest can be planned only when they are on.
  bool waits_for_power = false;
  bool empty() const { return steps.empty(); }
};

/// "create_server"
std::string to_text(StepKind kind);
/// "drift"
std::string to_text(Reason reason);
Change change_of(StepKind kind);
/// "create server zipkick-web-1 (s-1vcpu-1gb in nyc3)"
std::string describe(const Step& step);

}  // namespace paas::plan
