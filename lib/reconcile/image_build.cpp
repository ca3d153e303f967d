// Builds images: with BuildKit where it can be had, else with the engine's classic builder.
#include <fmt/format.h>

#include "base/text.hpp"
#include "docker/build_context.hpp"
#include "lockfile/seal.hpp"
#include "reconcile/image_names.hpp"
#include "reconcile/images.hpp"
#include "reconcile/revision.hpp"
#include "reconcile/secret_source.hpp"

namespace paas::reconcile {

namespace {

Result<const stack::ImageSource*> built_source(const stack::Stack& stack, const std::string& name) {
  const auto found = stack.images.find(name);
  if (found == stack.images.end()) {
    return fail(ErrorKind::not_found, fmt::format("the stack has no image {}", name));
  }
  if (!found->second.context.empty()) return &found->second;
  return fail(ErrorKind::usage, fmt::format("image {} is pulled, not built", name));
}

/// The classic builder knows no secrets, and a build that lacks them may not notice.
Error lacks_buildkit(const Error& why, const std::string& image) {
  return make_error(
      ErrorKind::failed,
      fmt::format("image {} has secrets, which need BuildKit, and {}", image, why.message),
      "install Docker's command line program, from version 23 on with its plugin buildx, or remove "
      "the secrets");
}

/// The classic builder may refuse what it has made itself, "found but does not match the specified
/// platform" (seen with 20.10).
Error explain_platform(Error error, const std::string& platform, const Error& why) {
  if (platform.empty()) return error;
  if (!error.hint.empty()) error.hint += "\n";
  error.hint += "BuildKit builds for other platforms than the engine's, and " + why.message;
  return error;
}

Status write_context(Files& files, const std::string& path,
                     const std::function<Result<std::string>(std::size_t)>& source) {
  PAAS_CHECK(files.write_atomically(path, "", 0600));
  while (true) {
    PAAS_TRY(const auto part, source(1U << 20U));
    if (part.empty()) return {};
    PAAS_CHECK(files.append(path, part));
  }
}

/// The builder may have built for another platform, as one that does not know the parameter does.
Status check_architecture(const stack::Stack& stack, const std::string& name,
                          const docker::ImageInfo& built) {
  const auto& platform = stack.images.at(name).platform;
  const auto built_for = "linux/" + built.architecture;
  if (built.architecture.empty()) return {};
  if (!platform.empty() && text::split(platform, '/').at(1) != built.architecture) {
    return fail(ErrorKind::failed,
                fmt::format("image {} was built for {} instead of {}", name, built_for, platform),
                "the images that its Dockerfile starts from decide: they have to be of the "
                "platform as well");
  }
  if (stack::can_run(stack.cloud, built_for)) return {};
  return fail(ErrorKind::failed,
              fmt::format("image {} was built for {}, which servers cannot run", name, built_for),
              fmt::format("write images.{}.platform: linux/amd64", name));
}

}  // namespace

Result<Secret> Images::secret(const stack::SecretSource& source) {
  return read_secret(source, environment_, files_, folder_);
}

Result<std::vector<docker::BuildSecret>> Images::secrets_of(const stack::ImageSource& source) {
  std::vector<docker::BuildSecret> secrets;
  for (const auto& [id, named] : source.secrets) {
    auto value = secret(named);
    if (!value) return fail(std::move(value.error()), "secret " + id);
    const auto file = named.file.empty() ? "" : path_beside(folder_, named.file);
    secrets.push_back({id, named.env, file, std::move(*value)});
  }
  return secrets;
}

Status Images::check_build(const stack::Stack& stack, const std::string& name) {
  PAAS_TRY(const auto* source, built_source(stack, name));
  if (source->secrets.empty()) return {};
  const auto secrets = secrets_of(*source);
  if (!secrets) return fail(secrets.error(), "image " + name);
  const auto buildkit = docker::check_buildkit(processes_, environment_);
  if (buildkit) return {};
  if (buildkit.error().kind != ErrorKind::not_found) return fail(buildkit.error());
  return fail(lacks_buildkit(buildkit.error(), name));
}

Status Images::run_build(docker::BuildOptions options, const stack::ImageSource& source,
                         const std::string& name, const docker::OnText& on_output) {
  const auto folder = context_folder(source);
  PAAS_TRY(auto entries, docker::list_context(files_, folder, options.dockerfile));
  auto context = docker::context_archive(files_, folder, std::move(entries));
  PAAS_TRY(auto secrets, secrets_of(source));
  const auto buildkit = docker::check_buildkit(processes_, environment_);
  if (!buildkit && buildkit.error().kind != ErrorKind::not_found) return fail(buildkit.error());
  if (!buildkit && !secrets.empty()) return fail(lacks_buildkit(buildkit.error(), name));
  if (!buildkit) {
    auto built = engine_.build_image(options, std::move(context), on_output);
    if (built) return {};
    return fail(explain_platform(std::move(built.error()), options.platform, buildkit.error()));
  }
  // Docker's client would say in its own way that nothing answers.
  PAAS_CHECK(engine_.ping());
  // What the digest of the sources covers and nothing else: docker would read the folder again, and
  // a .dockerignore of another name.
  PAAS_CHECK(files_.make_directories(scratch_, 0700));
  const auto file = fmt::format("{}/{}.context.tar", scratch_, name);
  auto built = write_context(files_, file, context);
  if (built) {
    built = docker::build_with_buildkit(processes_, engine_.socket(),
                                        {std::move(options), std::move(secrets), file}, on_output);
  }
  (void)files_.remove(file);
  return built;
}

Result<plan::ImageState> Images::build(const stack::Stack& stack, const std::string& name,
                                       const docker::OnText& on_output) {
  PAAS_TRY(const auto* source, built_source(stack, name));
  PAAS_TRY(auto sources, digest_of_sources(*source));
  docker::BuildOptions options;
  options.dockerfile = source->dockerfile.empty() ? "Dockerfile" : source->dockerfile;
  options.target = source->target;
  options.args = source->args;
  options.platform = source->platform;
  options.cache = cache_;
  options.tag = reference_of(stack.name, name, sources);
  options.labels = {{sources_label, sources}, {"paas.stack", stack.name}, {"paas.name", name}};
  const auto revision = revision_of(processes_, context_folder(*source));
  if (revision) options.labels[revision_label] = *revision;
  const auto tag = options.tag;
  auto built = run_build(std::move(options), *source, name, on_output);
  if (!built) return fail(std::move(built.error()), fmt::format("building image {}", name));
  PAAS_TRY(const auto image, engine_.inspect_image(tag));
  if (auto fits = check_architecture(stack, name, image); !fits) {
    // Nobody may take it for what was asked for.
    (void)engine_.remove_image(tag);
    return fail(std::move(fits.error()));
  }
  if (revision) {
    PAAS_CHECK(engine_.tag_image(image.id, repository_of(stack.name, name),
                                 "git-" + short_revision(*revision)));
  }
  plan::ImageState state;
  state.reference = tag;
  PAAS_TRY(state.digest, engine_.config_digest(tag));
  return state;
}

}  // namespace paas::reconcile
