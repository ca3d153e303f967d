// The kinds of faults in words: help, manual and messages are made of these.
#include "cloud/fault.hpp"

namespace paas::cloud::fault {
namespace {

std::vector<Description> request_faults() {
  return {
      {Kind::status,
       "status",
       "Another status than the right one",
       "Answers with --status, and with --body or the API's own words for that status. With "
       "--retry-after the answer says when to ask again, as the API does when its burst limit is "
       "reached. The request has no effect, unless --after is given. With a status of 2xx and a "
       "--body, any answer can be put in the place of the right one, such as a list that is empty.",
       {"method", "path", "after", "status", "body", "retry-after"}},
      {Kind::delay,
       "delay",
       "The right answer, late",
       "The request takes effect at once, and its answer comes --time later. Other faults of the "
       "same request are delayed as well.",
       {"method", "path", "time"}},
      {Kind::cut,
       "cut",
       "The connection is cut instead of an answer",
       "The request has no effect. With --after it has, and nobody is told of it: a client that "
       "just repeats a POST then makes a second droplet.",
       {"method", "path", "after"}},
      {Kind::half,
       "half",
       "The connection is cut in the middle of the answer",
       "The request takes effect. The answer's headers come, with the length of the whole body, "
       "and the first half of the body.",
       {"method", "path"}},
      {Kind::html,
       "html",
       "A web page with status 200",
       "What a proxy or a captive portal answers. The request has no effect, unless --after is "
       "given.",
       {"method", "path", "after"}},
  };
}

std::vector<Description> droplet_faults() {
  return {
      {Kind::missing,
       "missing",
       "A new droplet is not found at first",
       "Strikes POST /v2/droplets: what was created answers 404 the first --looks times that it is "
       "looked at, and is left out of as many lists.",
       {"looks"}},
      {Kind::action_error,
       "action-error",
       "An action ends as errored",
       "Strikes requests that start actions, --action only those of one type: create, reboot, "
       "power_cycle, shutdown, power_off, power_on, snapshot, rename, rebuild, restore, resize, "
       "attach_volume, detach_volume, assign_ip or unassign_ip. The request is accepted, its "
       "action errors, and nothing was changed. A droplet whose create errors is not found "
       "afterwards.",
       {"path", "action"}},
      {Kind::stuck,
       "stuck",
       "A new droplet stays `new`",
       "Strikes POST /v2/droplets: what was created never boots and stays locked, until the fault "
       "is removed. Deleting droplets by their tag takes it as well.",
       {}},
      {Kind::sold_out,
       "sold-out",
       "A size or a region has no capacity",
       "Creating a droplet of the --size, in the --region, or of that size in that region, is "
       "refused with status 422, and the lists of sizes and regions say that it is not available.",
       {"size", "region"}},
      {Kind::droplet_limit,
       "droplet-limit",
       "The account may have no more droplets",
       "Creating more than --limit droplets is refused with status 422, and GET /v2/account shows "
       "the limit. Of several such faults the lowest counts.",
       {"limit"}},
  };
}

std::vector<Description> machine_faults() {
  return {
      {Kind::kill,
       "kill",
       "The machine of --droplet loses its power",
       "Its processes end at once and without a word, and the droplet is off.",
       {"droplet"}},
      {Kind::reboot,
       "reboot",
       "The machine of --droplet loses its power and starts again",
       "Nobody asked the API for it: there is no action, and the droplet stays active.",
       {"droplet"}},
      {Kind::freeze,
       "freeze",
       "The machine of --droplet stands still",
       "Its processes get no time, and its connections stay open: nothing answers, and nothing is "
       "refused. Removing the fault lets it go on; so does the API when it starts the machine "
       "anew.",
       {"droplet"}},
      {Kind::unplug,
       "unplug",
       "The machine of --droplet is cut off from its networks",
       "No packet reaches or leaves it, also after a reboot. Removing the fault brings its "
       "firewalls' rules back.",
       {"droplet"}},
      {Kind::fill_disk,
       "fill-disk",
       "The disk of --droplet is full",
       "Writing fails with \"no space left on device\": in its system's folders (/etc, /root, "
       "/home, /opt, /srv, /usr/local, /var/tmp and Docker's own) and on the volumes that are "
       "mounted. What is there can be read, and containers that run can still write into layers "
       "of their own. No space of this machine is used for it.",
       {"droplet"}},
  };
}

}  // namespace

const std::vector<Description>& descriptions() {
  static const std::vector<Description> table = [] {
    auto all = request_faults();
    for (const auto& more : {droplet_faults(), machine_faults()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }();
  return table;
}

std::string_view name_of(Kind kind) {
  for (const auto& description : descriptions()) {
    if (description.kind == kind) return description.name;
  }
  return "";
}

}  // namespace paas::cloud::fault
