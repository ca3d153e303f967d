// Answers /v2/projects with their resources.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "cloud/routes.hpp"
#include "cloud/views.hpp"

namespace paas::cloud {
namespace {

constexpr std::size_t max_name_length = 175;
constexpr std::size_t max_text_length = 255;

/// The default project of an account is there before anything else; its identifier follows from
/// the cloud's seed, so that it is the same when nobody has written it down.
Project& default_project(Turn& turn) {
  for (auto& [id, project] : turn.state.projects) {
    if (project.is_default) return project;
  }
  const auto seed = turn.state.settings.seed;
  Project project;
  project.id = fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", seed >> 32 & 0xffffffffU,
                           seed >> 16 & 0xffff, seed & 0xfff, seed >> 4 & 0xfff,
                           (seed ^ seed >> 20) & 0xffffffffffffU);
  project.name = turn.state.settings.name;
  project.description = "The project of what was put into no other.";
  project.purpose = "Just trying out DigitalOcean";
  project.is_default = true;
  return turn.state.projects[project.id] = std::move(project);
}

Project* find_project(Turn& turn, const std::string& id) {
  auto& usual = default_project(turn);
  if (id == "default") return &usual;
  const auto found = turn.state.projects.find(id);
  return found == turn.state.projects.end() ? nullptr : &found->second;
}

Json view_of(const State& state, const Project& project) {
  return {{"id", project.id},
          {"owner_uuid", fmt::format("{:032x}", state.settings.seed)},
          {"owner_id", 1},
          {"name", project.name},
          {"description", project.description},
          {"purpose", project.purpose},
          {"environment", project.environment},
          {"is_default", project.is_default},
          {"created_at", view::time(project.created)},
          {"updated_at", view::time(project.updated)}};
}

/// The uniform resource names of all that can be in a project.
std::vector<std::string> all_resources(const State& state) {
  std::vector<std::string> urns;
  for (const auto& [id, droplet] : state.droplets) {
    if (is_shown(droplet)) urns.push_back(fmt::format("do:droplet:{}", id));
  }
  for (const auto& [id, volume] : state.volumes) urns.push_back("do:volume:" + id);
  for (const auto& [address, reserved] : state.reserved_ips) {
    urns.push_back("do:floatingip:" + address);
  }
  for (const auto& [name, domain] : state.domains) urns.push_back("do:domain:" + name);
  return urns;
}

std::vector<Assignment> resources_of(const State& state, const Project& project) {
  std::vector<Assignment> resources;
  for (const auto& urn : all_resources(state)) {
    const auto found = state.assignments.find(urn);
    if (found == state.assignments.end()) {
      if (project.is_default) resources.push_back({urn, project.id, project.created});
    } else if (found->second.project_id == project.id) {
      resources.push_back(found->second);
    }
  }
  return resources;
}

Json resource_view(const std::string& urn, UnixTime assigned, const char* status) {
  return {{"urn", urn},
          {"assigned_at", view::time(assigned)},
          {"links", {{"self", urn}}},
          {"status", status}};
}

Status check_project(const State& state, const Project& project) {
  if (project.name.empty() || project.name.size() > max_name_length) {
    return invalid(fmt::format("name must have from 1 to {} characters", max_name_length));
  }
  if (project.purpose.empty() || project.purpose.size() > max_text_length) {
    return invalid(fmt::format("purpose must have from 1 to {} characters", max_text_length));
  }
  if (project.description.size() > max_text_length) {
    return invalid(fmt::format("description must have at most {} characters", max_text_length));
  }
  const auto& environment = project.environment;
  if (environment != "Development" && environment != "Staging" && environment != "Production") {
    return invalid("environment must be Development, Staging or Production");
  }
  const bool taken = std::any_of(state.projects.begin(), state.projects.end(), [&](auto& entry) {
    return entry.second.name == project.name && entry.first != project.id;
  });
  return taken ? fail(ErrorKind::exists, "name is already in use") : Status{};
}

Result<Project> read_project(const Json& body, Project project) {
  PAAS_TRY(const auto name, text_field(body, "name"));
  PAAS_TRY(const auto description, text_field(body, "description"));
  PAAS_TRY(const auto purpose, text_field(body, "purpose"));
  PAAS_TRY(const auto environment, text_field(body, "environment"));
  project.name = name.value_or(project.name);
  project.description = description.value_or(project.description);
  project.purpose = purpose.value_or(project.purpose);
  project.environment = environment.value_or(project.environment);
  return project;
}

Result<Reply> list(Turn& turn, const Call& call) {
  return list_reply(call, "projects",
                    select(turn.state.projects, [](const Project&) { return true; }),
                    [&](const Project& project) { return view_of(turn.state, project); });
}

Result<Reply> create(Turn& turn, const Call& call) {
  PAAS_TRY(auto project, read_project(call.body, {}));
  PAAS_CHECK(check_project(turn.state, project));
  project.id = new_uuid(turn.state);
  project.created = project.updated = turn.now();
  const auto& kept = turn.state.projects[project.id] = project;
  return Reply{201, {{"project", view_of(turn.state, kept)}}};
}

Result<Reply> get(Turn& turn, const Call& call) {
  const auto* project = find_project(turn, call.arguments[0]);
  if (project == nullptr) return not_found();
  return Reply{200, {{"project", view_of(turn.state, *project)}}};
}

Result<Reply> change(Turn& turn, const Call& call) {
  auto* project = find_project(turn, call.arguments[0]);
  if (project == nullptr) return not_found();
  PAAS_TRY(auto changed, read_project(call.body, *project));
  PAAS_CHECK(check_project(turn.state, changed));
  const auto wanted = call.body.find("is_default");
  if (wanted != call.body.end() && !wanted->is_boolean()) {
    return invalid("is_default must be a boolean");
  }
  const bool becomes_default = wanted != call.body.end() && wanted->get<bool>();
  if (wanted != call.body.end() && !becomes_default && project->is_default) {
    return invalid("Another project has to be made the default one instead.");
  }
  changed.updated = turn.now();
  *project = std::move(changed);
  if (becomes_default) {
    for (auto& [id, each] : turn.state.projects) each.is_default = id == project->id;
  }
  return Reply{200, {{"project", view_of(turn.state, *project)}}};
}

Result<Reply> remove(Turn& turn, const Call& call) {
  const auto* project = find_project(turn, call.arguments[0]);
  if (project == nullptr) return not_found();
  if (project->is_default) return precondition_failed("cannot delete the default project");
  if (!resources_of(turn.state, *project).empty()) {
    return precondition_failed("cannot delete a project with resources. move or remove them first");
  }
  turn.state.projects.erase(std::string(project->id));
  return Reply{204, {}};
}

Result<Reply> list_resources(Turn& turn, const Call& call) {
  const auto* project = find_project(turn, call.arguments[0]);
  if (project == nullptr) return not_found();
  const auto resources = resources_of(turn.state, *project);
  std::vector<const Assignment*> items;
  for (const auto& resource : resources) items.push_back(&resource);
  return list_reply(call, "resources", items, [](const Assignment& resource) {
    return resource_view(resource.urn, resource.assigned, "ok");
  });
}

Result<Reply> assign(Turn& turn, const Call& call) {
  const auto* project = find_project(turn, call.arguments[0]);
  if (project == nullptr) return not_found();
  PAAS_TRY(const auto urns, texts_field(call.body, "resources"));
  const auto known = all_resources(turn.state);
  Json views = Json::array();
  for (const auto& urn : urns) {
    if (!urn.starts_with("do:")) return invalid(fmt::format("{} is not a valid urn", urn));
  }
  for (const auto& urn : urns) {
    const bool exists = contains(known, urn);
    const auto found = turn.state.assignments.find(urn);
    const bool already =
        found != turn.state.assignments.end() && found->second.project_id == project->id;
    if (exists && !already) turn.state.assignments[urn] = {urn, project->id, turn.now()};
    views.push_back(resource_view(urn, turn.now(),
                                  !exists   ? "not_found"
                                  : already ? "already_assigned"
                                            : "assigned"));
  }
  // What is gone by now is in no project any more.
  std::erase_if(turn.state.assignments,
                [&](const auto& entry) { return !contains(known, entry.first); });
  return Reply{200, {{"resources", std::move(views)}}};
}

/// The default project is made when projects are first asked about. A request that is refused
/// leaves nothing behind, and so not that one either.
template <Handler handler>
Result<Reply> with_default(Turn& turn, const Call& call) {
  const bool is_first = turn.state.projects.empty();
  default_project(turn);
  auto reply = handler(turn, call);
  if (!reply && is_first) turn.state.projects.clear();
  return reply;
}

}  // namespace

std::vector<ApiRoute> project_routes() {
  return {{"GET", "/v2/projects", with_default<list>},
          {"POST", "/v2/projects", with_default<create>},
          {"GET", "/v2/projects/{}", with_default<get>},
          {"PUT", "/v2/projects/{}", with_default<change>},
          {"PATCH", "/v2/projects/{}", with_default<change>},
          {"DELETE", "/v2/projects/{}", with_default<remove>},
          {"GET", "/v2/projects/{}/resources", with_default<list_resources>},
          {"POST", "/v2/projects/{}/resources", with_default<assign>}};
}

}  // namespace paas::cloud
