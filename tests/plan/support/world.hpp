// A model of the world: a stack, its lockfile and what exists, which carries plans out in memory.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "haproxy/model.hpp"
#include "plan/make.hpp"
#include "tls/certificate.hpp"

namespace paas::plan::testing {

/// Two web services behind a load balancer, a database on a volume and a cache.
extern const std::string_view example;

/// Fails the test for a text with problems.
stack::Stack parsed(std::string_view yaml);

class World {
 public:
  /// Nothing exists; every image is built.
  explicit World(std::string_view yaml = example);

  /// Fails the test for an error.
  Plan plan() const;
  /// Carries the steps out one by one as the executor would. What a step needs and is not there yet
  /// goes to `violations`, and so does what was served before and is not after it: an edge that the
  /// plan lacks.
  void apply(const Plan& plan);
  /// The same in another order that the plan permits; each seed gives one.
  void apply_shuffled(const Plan& plan, unsigned seed);
  /// plan() and apply().
  void up();

  stack::Service& service(const std::string& name);
  void remove_service(const std::string& name);
  observe::Server& server(const std::string& name) { return input.observed.servers.at(name); }
  observe::Machine& machine(const std::string& name) { return *server(name).machine; }
  observe::Container& container(const std::string& server_name);
  observe::Balancer& balancer() { return *machine("zipkick-lb-1").balancer; }
  lockfile::Lockfile& lock() { return input.lockfile; }

  /// As if somebody did it with DigitalOcean's own tools.
  void destroy_droplet(const std::string& name);
  void power_off(const std::string& name);
  void cut_off(const std::string& name);
  /// A run was killed after it had asked for the reserved IP, and before it wrote down which.
  void interrupt_address();
  /// The image's next version: its context changed and it has to be built again.
  void change_image(const std::string& name);

  /// Certificate files are there and read.
  void give_files();

  Input input;
  std::vector<std::string> violations;
  std::vector<std::string> hooks_run;  ///< "frontend 2 on zipkick-frontend-1"

 private:
  void perform(const Step& step);
  void perform_resource(const Step& step);
  void create_address(std::int64_t droplet);
  void perform_on_server(const Step& step);
  void perform_on_balancer(const Step& step);
  void perform_on_certificates(const Step& step);
  tls::Pair made_for(const std::string& host);
  void let_in(const Step& step, observe::Balancer& haproxy);
  void perform_on_password(const Step& step);
  void put_firewall(const Step& step);
  void close_firewall(const Step& step);
  void check_unused(int port, const Step& step);
  bool is_in_rotation(const std::string& server_name) const;
  bool is_drained(const std::string& rotation_entry);
  void create_server(const Step& step);
  void untag(const Step& step);
  void attach_volume(const Step& step);
  int check_startable(const Step& step);
  void run_pre_release(const Step& step);
  void start_container(const Step& step);
  int release_for(const stack::Service& service, const std::string& identity);
  void retire_container(const Step& step);
  void configure_balancer(const Step& step);
  std::string wanted_configuration(const observe::Balancer& haproxy) const;
  void check_change(const observe::Balancer& before, const Step& step);
  void edit_configuration(observe::Balancer& haproxy,
                          const std::function<void(haproxy::Backend&)>& change);
  void leave_rotation(const std::function<bool(const std::string&)>& leaves);
  void delete_server(const Step& step);
  observe::Machine* prepared(const Step& step);
  bool answers(const std::string& balancer_name, const std::string& service_name) const;
  std::set<std::string> served() const;
  void check_served(std::set<std::string>& before, const Step& step);
  void need(bool holds, const Step& step, const std::string& what);
  std::string new_id(const std::string& kind);

  int next_id_ = 100;
  std::map<std::string, observe::Machine> asleep_;  ///< Insides of servers that are powered off.
  std::map<std::string, std::string> bundles_;      ///< Certificates of files, by name.
  std::map<std::string, int> made_releases_;        ///< By service, of one plan.
};

/// Steps with glyph, cause and what they wait for, then what data is lost, then the warnings.
std::string rendered(const Plan& plan);

}  // namespace paas::plan::testing
