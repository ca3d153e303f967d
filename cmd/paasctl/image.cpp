// `paasctl image`: building, keeping and handing on images.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "build_choices.hpp"
#include "contexts.hpp"
#include "machine_images.hpp"
#include "program.hpp"
#include "reconcile/image_names.hpp"
#include "reconcile/revision.hpp"
#include "report/style.hpp"
#include "session.hpp"

namespace paas::cli {

namespace {

struct BuildOptions {
  std::vector<std::string> names;
  BuildChoices choices;
};

Status check_declared(const stack::Stack& stack, const std::string& name) {
  if (stack.images.contains(name)) return {};
  std::vector<std::string> known;
  for (const auto& [image, source] : stack.images) known.push_back(image);
  const auto near = text::nearest(name, known);
  return fail(ErrorKind::not_found, fmt::format("the stack has no image {}", name),
              near ? fmt::format("did you mean {}?", *near)
                   : fmt::format("the stack has {}", fmt::join(known, ", ")));
}

Result<int> build(Program& program, const BuildOptions& options) {
  PAAS_CHECK(check_engine(program));
  PAAS_TRY(auto session, Session::open(program, Need::text));
  for (const auto& name : options.names) PAAS_CHECK(check_declared(session->stack, name));
  PAAS_CHECK(check_contexts(program, *session, session->stack.images));
  PAAS_CHECK(choose_build(*session, options.choices));
  auto names = options.names;
  if (names.empty()) {
    for (const auto& [name, source] : session->stack.images) {
      if (!source.context.empty()) names.push_back(name);
    }
  }
  for (const auto& name : names) PAAS_CHECK(session->images().check_build(session->stack, name));
  for (const auto& name : names) {
    PAAS_TRY(const auto state,
             session->images().build(session->stack, name, [&](std::string_view line) {
               if (program.globals.quiet) return;
               program.ports.terminal.write_error(std::string(line) + "\n");
             }));
    program.print(fmt::format("{} {}\n", state.reference, *state.digest));
  }
  return exit_done;
}

/// The reference of a declared image that has been built; any other name is one of the engine's
/// own.
Result<std::string> reference_of(Session& session, const std::string& name) {
  if (!session.stack.images.contains(name)) return name;
  PAAS_TRY(const auto states, session.images().survey(session.stack, session.lockfile));
  const auto& state = states.at(name);
  if (state.needs_build) {
    return fail(ErrorKind::not_found, fmt::format("image {} is not built: {}", name, state.cause),
                fmt::format("run `paasctl image build {}`", name));
  }
  return state.reference;
}

struct SaveOptions {
  std::string name;
  std::string file;
  bool snapshot = false;
};

Result<int> save(Program& program, const SaveOptions& options) {
  PAAS_CHECK(check_engine(program));
  PAAS_TRY(auto session, Session::open(program, Need::stack));
  if (options.snapshot) return save_machine_image(program, *session, options.name);
  if (options.file.empty()) {
    return fail(ErrorKind::usage, "paasctl image save needs -o FILE or --snapshot",
                "-o writes the image to a file, --snapshot makes a machine image of the service");
  }
  PAAS_TRY(const auto reference, reference_of(*session, options.name));
  // Under another name first, so that an interrupted export leaves no half archive.
  const auto partial = options.file + ".partial";
  auto saved = docker::SavedImage::save(session->engine(), program.ports.files, reference, partial);
  if (!saved) {
    (void)program.ports.files.remove(partial);
    return fail(saved.error());
  }
  PAAS_CHECK(program.ports.files.rename(partial, options.file));
  program.say(
      fmt::format("{}: {} in {}", reference, text::bytes(saved->size_bytes()), options.file));
  return exit_done;
}

struct LoadOptions {
  std::string file;
};

Result<int> load(Program& program, const LoadOptions& options) {
  PAAS_CHECK(check_engine(program));
  PAAS_TRY(auto image, docker::SavedImage::open(program.ports.files, options.file));
  auto engine = engine_of(program);
  PAAS_TRY(const bool sent, docker::hand_over(engine, image, {}));
  for (const auto& tag : image.tags()) program.print(tag + "\n");
  program.say(sent ? "loaded" : "was there already");
  return exit_done;
}

struct ListOptions {
  bool snapshot = false;
};

/// The commit that it was built from, or "".
std::string revision_of(const docker::ImageInfo& image) {
  const auto label = image.labels.find(reconcile::revision_label);
  return label == image.labels.end() ? "" : label->second;
}

Result<int> list(Program& program, const ListOptions& options) {
  if (options.snapshot) {
    PAAS_TRY(auto session, Session::open(program, Need::applied));
    return list_machine_images(program, *session);
  }
  PAAS_CHECK(check_engine(program));
  PAAS_TRY(auto session, Session::open(program, Need::text));
  PAAS_TRY(const auto present, session->engine().images());
  PAAS_TRY(const auto states, session->images().survey(session->stack, session->lockfile));
  auto documents = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows = {
      {"IMAGE", "REFERENCE", "STATE", "SIZE", "CREATED", "COMMIT"}};
  for (const auto& [name, state] : states) {
    std::uint64_t size = 0;
    std::string created;
    std::string revision;
    for (const auto& image : present) {
      if (std::find(image.tags.begin(), image.tags.end(), state.reference) == image.tags.end())
        continue;
      size = image.size_bytes;
      created = image.created.substr(0, 19) + "Z";
      revision = revision_of(image);
    }
    const bool pulled = !session->stack.images.at(name).pull.empty();
    const std::string condition = pulled              ? "pulled by servers"
                                  : state.needs_build ? "to build: " + state.cause
                                                      : "built";
    rows.push_back({name, state.reference, condition, size == 0 ? "-" : text::bytes(size),
                    created.empty() ? "-" : created,
                    revision.empty() ? "-" : reconcile::short_revision(revision)});
    documents.push_back({{"name", name},
                         {"reference", state.reference},
                         {"digest", state.digest.value_or("")},
                         {"built", !pulled && !state.needs_build},
                         {"size_bytes", size},
                         {"created", created},
                         {"revision", revision}});
  }
  if (program.wants_document()) {
    program.print_document(documents.dump(2) + "\n");
  } else if (program.globals.output == "name") {
    for (const auto& [name, state] : states) program.print(name + "\n");
  } else {
    program.print(report::table(rows));
  }
  return exit_done;
}

struct RemoveOptions {
  std::vector<std::string> names;
  bool snapshot = false;
  std::size_t keep = 0;
};

/// All builds of the named images on this machine's engine, or machine images at the provider.
Result<int> remove(Program& program, const RemoveOptions& options) {
  if (options.snapshot) {
    PAAS_TRY(auto session, Session::open(program, Need::applied));
    return remove_machine_images(program, *session, {options.names.begin(), options.names.end()},
                                 options.keep);
  }
  PAAS_CHECK(check_engine(program));
  PAAS_TRY(auto session, Session::open(program, Need::text));
  for (const auto& name : options.names) PAAS_CHECK(check_declared(session->stack, name));
  PAAS_TRY(const auto present, session->engine().images());
  for (const auto& name : options.names) {
    const auto repository = reconcile::repository_of(session->stack.name, name) + ":";
    for (const auto& image : present) {
      for (const auto& tag : image.tags) {
        if (!tag.starts_with(repository)) continue;
        PAAS_CHECK(session->engine().remove_image(tag));
        program.print(tag + "\n");
      }
    }
  }
  return exit_done;
}

}  // namespace

void register_image(Program& program) {
  auto& group = *add_group(program, "image", "Build, save, load, list and remove images");
  add_command<BuildOptions>(
      program, group, "build", "Build the stack's images on this machine's Docker Engine",
      [](CLI::App& command, BuildOptions& options) {
        command.add_option("NAME", options.names, "Images; without any, all that are built");
        add_build_options(command, options.choices);
      },
      build,
      "  paasctl image build\n"
      "  paasctl image build web --no-cache\n"
      "  paasctl image build web --platform linux/amd64");
  add_command<SaveOptions>(
      program, group, "save",
      "Save an image as an archive, or a server type as a machine image of the provider",
      [](CLI::App& command, SaveOptions& options) {
        command.add_option("NAME", options.name, "Image; with --snapshot a service")->required();
        command.add_option("-o,--to", options.file, "Archive to write")->type_name("FILE");
        command.add_flag("--snapshot", options.snapshot,
                         "Make a machine image from which `up` creates the service's servers");
      },
      save,
      "  paasctl image save web -o web.tar\n"
      "  paasctl image save frontend --snapshot");
  add_command<LoadOptions>(
      program, group, "load", "Load an archive into this machine's Docker Engine",
      [](CLI::App& command, LoadOptions& options) {
        command.add_option("FILE", options.file, "Archive")->required();
      },
      load, "  paasctl image load web.tar");
  add_command<ListOptions>(
      program, group, "ls",
      "List the stack's images and whether they are built, or its machine images",
      [](CLI::App& command, ListOptions& options) {
        command.alias("list");
        command.add_flag("--snapshot", options.snapshot,
                         "Machine images at the provider, the newest first");
      },
      list,
      "  paasctl image ls\n"
      "  paasctl image ls -o json\n"
      "  paasctl image ls --snapshot",
      {"json", "yaml", "name"});
  add_command<RemoveOptions>(
      program, group, "rm",
      "Remove the builds of images from this machine's Docker Engine, or machine images",
      [](CLI::App& command, RemoveOptions& options) {
        command.alias("delete");
        command.add_option("NAME", options.names, "Images; with --snapshot services")->required();
        auto* snapshot = command.add_flag("--snapshot", options.snapshot,
                                          "Remove the services' machine images at the provider");
        command.add_option("--keep", options.keep, "How many of the newest machine images stay")
            ->type_name("N")
            ->check(CLI::Range(0, 1000))
            ->needs(snapshot);
      },
      remove,
      "  paasctl image rm web\n"
      "  paasctl image rm frontend --snapshot\n"
      "  paasctl image rm frontend --snapshot --keep 1 --yes");
  register_image_prune(program, group);
}

}  // namespace paas::cli
