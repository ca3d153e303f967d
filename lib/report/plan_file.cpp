// Writes plans to files, reads them back, and tells whether they still hold.
#include "report/plan_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.hpp"
#include "lockfile/seal.hpp"
#include "report/plan_json.hpp"

namespace paas::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr auto format_name = "paasctl plan";
/// 1 had a digest of the stack only, in the place of `basis`.
constexpr int format_version = 2;
constexpr std::size_t nesting_max = 64;
constexpr auto again_hint =
    "nothing was changed; `paasctl plan --out FILE` shows and writes a new plan";

tl::unexpected<Error> moved(const std::string& what) {
  return fail(ErrorKind::failed, "the plan does not hold any more: " + what, again_hint);
}

/// Reads members and keeps the first problem.
class PlanReader {
 public:
  PlanReader(const Json& object, std::string file_name)
      : object_(object), file_name_(std::move(file_name)) {}

  template <typename T>
  T read(const std::string& pointer) {
    if (problem_) return {};
    try {
      return object_.at(Json::json_pointer(pointer)).get<T>();
    } catch (const nlohmann::json::exception&) {
      wrong(pointer);
      return {};
    }
  }

  /// A whole number that is not negative; the conversion to one takes any number.
  std::int64_t integer(const std::string& pointer) {
    const auto value = read<Json>(pointer);
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const bool is_whole = value.is_number_unsigned() && value.get<std::uint64_t>() <= most;
    if (!is_whole) wrong(pointer);
    return is_whole ? value.get<std::int64_t>() : 0;
  }

  Status finish() const {
    if (problem_) return fail(*problem_);
    return {};
  }

 private:
  void wrong(const std::string& pointer) {
    if (problem_) return;
    problem_ = make_error(
        ErrorKind::invalid,
        fmt::format("{}: {} is missing, or not what a plan has there", file_name_, pointer),
        "write it again with `paasctl plan --out FILE`");
  }

  const Json& object_;
  std::string file_name_;
  std::optional<Error> problem_;
};

ShownStep read_step(PlanReader& reader, std::size_t index) {
  const auto place = fmt::format("/plan/steps/{}/", index);
  ShownStep step;
  step.id = reader.read<std::string>(place + "id");
  step.description = reader.read<std::string>(place + "description");
  step.reason = reader.read<std::string>(place + "reason");
  step.cause = reader.read<std::string>(place + "cause");
  step.after = reader.read<std::vector<std::string>>(place + "after");
  return step;
}

/// A byte's place in a text, both from 1.
std::string place_of(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto start = before.rfind('\n');
  const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return fmt::format("{}:{}", line, column);
}

Result<Json> parse(std::string_view text, const std::string& file_name) {
  constexpr auto hint =
      "a plan is written by `paasctl plan --out FILE`; a stack file is named with --file";
  if (text::nesting(text) > nesting_max) {
    return fail(ErrorKind::invalid,
                fmt::format("{}: this is not a plan: it is nested too deep", file_name), hint);
  }
  try {
    auto json = Json::parse(text);
    const auto format = json.is_object() ? json.find("format") : json.end();
    if (!json.is_object() || format == json.end() || *format != format_name) {
      return fail(ErrorKind::invalid, fmt::format("{}: /format: this is not a plan", file_name),
                  hint);
    }
    return json;
  } catch (const nlohmann::json::out_of_range&) {
    return fail(ErrorKind::invalid,
                fmt::format("{}: this is not a plan: it has a number that is too large", file_name),
                hint);
  } catch (const nlohmann::json::parse_error& problem) {
    return fail(ErrorKind::invalid,
                fmt::format("{}:{}: this is not a plan: it is not JSON, or was cut short",
                            file_name, place_of(text, problem.byte)),
                hint);
  }
}

/// Why an image is built depends on what the machine that plans has built before.
std::string comparable_cause(const ShownStep& step) {
  if (step.id.starts_with(plan::to_text(plan::StepKind::build_image) + "/")) return "";
  const auto why = step.cause.find(" changes: ");
  const bool is_about_image = step.cause.starts_with("image ") && why != std::string::npos;
  return is_about_image ? step.cause.substr(0, why) : step.cause;
}

bool is_same(const ShownStep& left, const ShownStep& right) {
  return left.description == right.description && left.reason == right.reason &&
         left.after == right.after && comparable_cause(left) == comparable_cause(right);
}

/// Lines for the steps that the others lack or have in another form.
void add_differing(const std::vector<ShownStep>& steps, const std::vector<ShownStep>& others,
                   const char* what, std::vector<std::string>& lines) {
  std::map<std::string, const ShownStep*> by_id;
  for (const auto& other : others) by_id[other.id] = &other;
  for (const auto& step : steps) {
    const auto other = by_id.find(step.id);
    if (other != by_id.end() && is_same(step, *other->second)) continue;
    lines.push_back(fmt::format("\n  {}: {}: {}", what, step.description, step.cause));
  }
}

std::string names_or_none(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string joined(std::vector<std::string> lines) {
  constexpr std::size_t lines_max = 20;
  const auto count = lines.size();
  if (count > lines_max) lines.resize(lines_max);
  auto text = fmt::format("{}", fmt::join(lines, ""));
  if (count > lines_max) text += fmt::format("\n  and {} more", count - lines_max);
  return text;
}

std::string changed_images(const PlanFile& shown, const PlanFile& now) {
  std::vector<std::string> names;
  for (const auto& [name, reference] : now.images) {
    const auto old = shown.images.find(name);
    if (old == shown.images.end() || old->second != reference) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

PlanFile plan_file_of(const plan::Input& input, const plan::Plan& plan, const Origin& origin) {
  PlanFile file;
  file.stack = input.stack.name;
  const auto& lockfile = input.lockfile;
  // A lockfile that was never stored has another lineage each time it is asked for.
  if (lockfile.serial > 0) file.lineage = lockfile.lineage;
  file.serial = lockfile.serial;
  file.basis = basis_of(input, origin);
  file.cloud_url = lockfile.cloud_url;
  file.cloud_account = lockfile.cloud_account;
  for (const auto& [name, image] : input.images) file.images[name] = image.reference;
  for (const auto& step : plan.steps) {
    file.steps.push_back(
        {step.id, plan::describe(step), plan::to_text(step.reason), step.cause, step.after});
  }
  file.unreached = plan.unreached;
  return file;
}

std::string encode_plan_file(const plan::Input& input, const plan::Plan& plan,
                             const Origin& origin) {
  const auto file = plan_file_of(input, plan, origin);
  Json json;
  json["format"] = format_name;
  json["format_version"] = format_version;
  json["stack"] = file.stack;
  json["lockfile"] = {{"lineage", file.lineage}, {"serial", file.serial}};
  json["basis"] = {{"stack", file.basis.stack},
                   {"lockfile", file.basis.lockfile},
                   {"observed", file.basis.observed}};
  json["cloud"] = {{"url", file.cloud_url}, {"account", file.cloud_account}};
  json["images"] = Json::object();
  for (const auto& [name, reference] : file.images) json["images"][name] = reference;
  json["plan"] = Json::parse(plan_json(plan));
  return json.dump(2) + "\n";
}

Result<PlanFile> decode_plan_file(std::string_view text, const std::string& file_name) {
  PAAS_TRY(const auto json, parse(text, file_name));
  PlanReader reader(json, file_name);
  const auto version = reader.integer("/format_version");
  PAAS_CHECK(reader.finish());
  if (version != format_version) {
    return fail(ErrorKind::invalid,
                fmt::format("{}: /format_version is {}, and this paasctl reads {}", file_name,
                            version, format_version),
                "apply it with the paasctl that wrote it");
  }
  PlanFile file;
  file.stack = reader.read<std::string>("/stack");
  file.lineage = reader.read<std::string>("/lockfile/lineage");
  file.serial = reader.integer("/lockfile/serial");
  file.basis.stack = reader.read<std::string>("/basis/stack");
  file.basis.lockfile = reader.read<std::string>("/basis/lockfile");
  file.basis.observed = reader.read<std::map<std::string, std::string>>("/basis/observed");
  file.cloud_url = reader.read<std::string>("/cloud/url");
  file.cloud_account = reader.read<std::string>("/cloud/account");
  file.images = reader.read<std::map<std::string, std::string>>("/images");
  file.unreached = reader.read<std::vector<std::string>>("/plan/unreached");
  const auto count = reader.read<std::vector<Json>>("/plan/steps").size();
  for (std::size_t i = 0; i < count; ++i) file.steps.push_back(read_step(reader, i));
  PAAS_CHECK(reader.finish());
  return file;
}

bool is_plan_file(std::string_view text) {
  if (text::nesting(text) > nesting_max) return false;
  const auto json = Json::parse(text, nullptr, false);
  return json.is_object() && json.value("format", Json()) == format_name;
}

Status check_basis(const PlanFile& file, const stack::Stack& stack,
                   const lockfile::Lockfile& lockfile, const Origin& origin) {
  if (file.stack != stack.name) {
    return moved(fmt::format("it is for stack {}, and this is stack {}", file.stack, stack.name));
  }
  if (file.serial == 0 && lockfile.serial > 0) {
    return moved(
        fmt::format("there was no lockfile when it was made, and now there is one with "
                    "serial {}: another run was here",
                    lockfile.serial));
  }
  if (file.serial > 0 && lockfile.serial == 0) {
    return moved(
        fmt::format("it was made with a lockfile of serial {}, and here is none", file.serial));
  }
  if (file.serial > 0 && file.lineage != lockfile.lineage) {
    return moved(fmt::format("it was made with the lockfile of lineage {}, and this one's is {}",
                             file.lineage, lockfile.lineage));
  }
  if (file.serial != lockfile.serial) {
    return moved(fmt::format(
        "the lockfile's serial was {} when it was made and is {} now: {}", file.serial,
        lockfile.serial,
        file.serial < lockfile.serial ? "another run was here" : "an older lockfile was put back"));
  }
  if (file.basis.lockfile != digest_of_lockfile(origin)) {
    return moved(fmt::format("the lockfile says something else now, with serial {} as before",
                             lockfile.serial));
  }
  if (file.basis.stack != digest_of_stack(stack, origin)) {
    return moved("the stack file says something else now");
  }
  return {};
}

Status check_same(const PlanFile& file, const plan::Input& input, const plan::Plan& plan,
                  const Origin& origin) {
  const auto now = plan_file_of(input, plan, origin);
  if (file.cloud_url != now.cloud_url || file.cloud_account != now.cloud_account) {
    return moved("it was made with another cloud or account");
  }
  if (file.images != now.images) {
    return moved(
        fmt::format("what these images are made from changed: {}", changed_images(file, now)));
  }
  std::vector<std::string> lines;
  add_differing(file.steps, now.steps, "was shown, is not so now", lines);
  add_differing(now.steps, file.steps, "would be done, was not shown", lines);
  if (file.unreached != now.unreached) {
    lines.push_back(fmt::format("\n  servers that could not be looked at: {}; now {}",
                                names_or_none(file.unreached), names_or_none(now.unreached)));
  }
  for (const auto& part : moved_parts(file.basis, now.basis)) lines.push_back("\n  " + part);
  if (lines.empty()) return {};
  return moved("the world has moved since it was made" + joined(std::move(lines)));
}

}  // namespace paas::report
