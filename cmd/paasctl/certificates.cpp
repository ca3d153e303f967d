// Says what is wrong with certificate files, with places in the stack file.
#include "certificates.hpp"

#include "base/text.hpp"
#include "stack/parse.hpp"
#include "stack/place.hpp"

namespace paas::cli {

Result<reconcile::Certificates> read_certificates(Program& program, const Session& session) {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(program.ports.clock.now().time_since_epoch())
          .count();
  auto read = reconcile::read_certificates(program.ports.files, session.folder, session.stack, now);
  if (read.remarks.empty()) return read;
  const auto text = program.ports.files.read(session.stack_path);
  std::vector<std::string> errors;
  for (const auto& remark : read.remarks) {
    stack::Problem problem{0, 0, remark.key_path, remark.message, remark.hint};
    const auto place = text ? stack::place_of(*text, remark.keys) : std::nullopt;
    if (place) {
      problem.line = place->line;
      problem.column = place->column;
    }
    const auto line = stack::render(problem, session.stack_path);
    if (remark.weight == reconcile::CertificateRemark::Weight::error) {
      errors.push_back(line);
    } else {
      program.say("warning: " + line);
    }
  }
  if (errors.empty()) return read;
  return fail(ErrorKind::invalid, text::join(errors, "\n"));
}

}  // namespace paas::cli
