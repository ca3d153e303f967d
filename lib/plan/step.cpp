// How steps are named and described.
#include "plan/step.hpp"

#include <fmt/format.h>

namespace paas::plan {

namespace {

struct KindText {
  StepKind kind;
  const char* name;
  const char* verb;  ///< "{}" is replaced by the subject.
  Change change;
};

constexpr KindText kind_texts[] = {
    {StepKind::create_key, "create_key", "register SSH key {}", Change::create},
    {StepKind::create_vpc, "create_vpc", "create private network {}", Change::create},
    {StepKind::create_firewall, "create_firewall", "create firewall {}", Change::create},
    {StepKind::update_firewall, "update_firewall", "update firewall {}", Change::update},
    {StepKind::close_firewall, "close_firewall", "close firewall {}", Change::update},
    {StepKind::delete_firewall, "delete_firewall", "delete firewall {}", Change::remove},
    {StepKind::build_image, "build_image", "build image {}", Change::create},
    {StepKind::create_volume, "create_volume", "create volume {}", Change::create},
    {StepKind::resize_volume, "resize_volume", "resize volume {}", Change::update},
    {StepKind::tag_volume, "tag_volume", "tag volume {}", Change::update},
    {StepKind::delete_volume, "delete_volume", "delete volume {}", Change::remove},
    {StepKind::create_server, "create_server", "create server {}", Change::create},
    {StepKind::prepare_server, "prepare_server", "prepare server {}", Change::update},
    {StepKind::tag_server, "tag_server", "tag server {}", Change::update},
    {StepKind::untag_server, "untag_server", "untag server {}", Change::update},
    {StepKind::power_on_server, "power_on_server", "power on server {}", Change::update},
    {StepKind::attach_volume, "attach_volume", "attach volume {}", Change::update},
    {StepKind::send_image, "send_image", "send image to {}", Change::update},
    {StepKind::keep_warm, "keep_warm", "keep {} warm", Change::update},
    {StepKind::run_pre_release, "run_pre_release", "run pre-release of {}", Change::update},
    {StepKind::start_container, "start_container", "start container on {}", Change::create},
    {StepKind::resume_container, "resume_container", "start container on {} again", Change::update},
    {StepKind::set_password, "set_password", "set new password of {}", Change::update},
    {StepKind::retire_password, "retire_password", "retire old password of {}", Change::remove},
    {StepKind::retire_container, "retire_container", "retire old container on {}", Change::remove},
    {StepKind::stop_container, "stop_container", "stop container on {}", Change::remove},
    {StepKind::create_address, "create_address", "reserve a public address for {}", Change::create},
    {StepKind::assign_address, "assign_address", "assign the public address to {}", Change::update},
    {StepKind::put_certificates, "put_certificates", "put certificates on {}", Change::update},
    {StepKind::move_certificates, "move_certificates", "move certificates from {}", Change::update},
    {StepKind::issue_certificates, "issue_certificates", "get certificates on {}", Change::update},
    {StepKind::remove_certificates, "remove_certificates", "remove certificates from {}",
     Change::remove},
    {StepKind::prepare_balancer, "prepare_balancer", "prepare HAProxy on {}", Change::update},
    {StepKind::configure_balancer, "configure_balancer", "configure HAProxy on {}", Change::update},
    {StepKind::add_to_rotation, "add_to_rotation", "put {} into rotation", Change::update},
    {StepKind::let_in, "let_in", "send requests to {}", Change::update},
    {StepKind::watch_canary, "watch_canary", "watch {}", Change::update},
    {StepKind::set_weight, "set_weight", "set weight of {}", Change::update},
    {StepKind::set_maintenance, "set_maintenance", "turn maintenance {}", Change::update},
    {StepKind::remove_from_rotation, "remove_from_rotation", "take {} out of rotation",
     Change::update},
    {StepKind::write_hosts, "write_hosts", "write hosts file on {}", Change::update},
    {StepKind::delete_server, "delete_server", "delete server {}", Change::remove},
    {StepKind::forget_server, "forget_server", "forget server {}", Change::remove},
    {StepKind::release_address, "release_address", "release public address {}", Change::remove},
    {StepKind::delete_tags, "delete_tags", "delete tags of {}", Change::remove},
    {StepKind::delete_vpc, "delete_vpc", "delete private network {}", Change::remove},
    {StepKind::delete_key, "delete_key", "delete SSH key {}", Change::remove},
};

const KindText& text_of(StepKind kind) {
  for (const auto& text : kind_texts) {
    if (text.kind == kind) return text;
  }
  return kind_texts[0];
}

}  // namespace

std::string to_text(StepKind kind) { return text_of(kind).name; }

std::string to_text(Reason reason) {
  switch (reason) {
    case Reason::change:
      return "change";
    case Reason::drift:
      return "drift";
    case Reason::unfinished:
      return "unfinished";
    case Reason::request:
      return "request";
  }
  return "";
}

Change change_of(StepKind kind) { return text_of(kind).change; }

std::string describe(const Step& step) {
  auto subject = step.subject.empty() ? step.server : step.subject;
  if (!step.batch.empty()) subject = fmt::format("{}", fmt::join(step.batch, ", "));
  const bool is_only_checked = step.kind == StepKind::add_to_rotation && step.weight == 0;
  const auto* verb = is_only_checked ? "have HAProxy check {}" : text_of(step.kind).verb;
  auto text = fmt::format(fmt::runtime(verb), subject);
  if (!step.detail.empty()) text += fmt::format(" ({})", step.detail);
  return text;
}

}  // namespace paas::plan
