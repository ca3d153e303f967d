// Reading tar archives as they come, or by their index.
#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "docker/tar.hpp"

namespace paas::docker::tar {
namespace {

/// An extended header holds names; one that is larger is an attack or a mistake.
constexpr std::uint64_t largest_extension_bytes = 1U << 20U;

tl::unexpected<Error> malformed(const char* why) {
  return fail(ErrorKind::invalid, std::string("not a tar archive: ") + why,
              "an image's archive is made with `paasctl image save` or `docker save`");
}

/// A field up to its first NUL.
std::string text_field(const std::string& block, std::size_t offset, std::size_t length) {
  const auto field = std::string_view(block).substr(offset, length);
  return std::string(field.substr(0, field.find('\0')));
}

/// Octal digits, or GNU's base-256 when the first bit is set.
std::optional<std::uint64_t> number_field(const std::string& block, std::size_t offset,
                                          std::size_t length) {
  const auto field = std::string_view(block).substr(offset, length);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      const auto byte = static_cast<unsigned char>(i == 0 ? field[i] & 0x7f : field[i]);
      if (value >> 56U != 0) return std::nullopt;
      value = value << 8U | byte;
    }
    return value;
  }
  for (const char c : text::trim(field.substr(0, field.find('\0')))) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value << 3U | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool checksum_holds(const std::string& block) {
  const auto expected = number_field(block, 148, 8);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return expected == sum;
}

Kind kind_of(char type) {
  switch (type) {
    case '0':
    case '\0':
    case '7':
      return Kind::file;
    case '1':
      return Kind::hardlink;
    case '2':
      return Kind::symlink;
    case '5':
      return Kind::directory;
    default:
      return Kind::other;
  }
}

std::string normal_path(std::string path) {
  while (path.rfind("./", 0) == 0) path.erase(0, 2);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// The records of a pax header, "LENGTH key=value\n" each.
Status read_pax(std::string_view text, std::map<std::string, std::string>& records) {
  while (!text.empty()) {
    const auto space = text.find(' ');
    const auto length = text::to_integer(text.substr(0, space));
    if (!length || *length <= 0 || static_cast<std::uint64_t>(*length) > text.size() ||
        static_cast<std::size_t>(*length) < space + 3) {
      return malformed("a broken extended header");
    }
    const auto record = text.substr(space + 1, static_cast<std::size_t>(*length) - space - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) return malformed("a broken extended header");
    records[std::string(record.substr(0, equals))] = std::string(record.substr(equals + 1));
    text.remove_prefix(static_cast<std::size_t>(*length));
  }
  return {};
}

}  // namespace

Status Scanner::feed(std::string_view part) {
  while (!part.empty() && !ended_) {
    if (content_ > 0) {
      const auto taken =
          part.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), content_)));
      if (extension_ != 0) {
        extension_content_.append(taken);
      } else if (on_content_) {
        PAAS_CHECK(on_content_(member_, taken));
      }
      content_ -= taken.size();
      position_ += taken.size();
      part.remove_prefix(taken.size());
      continue;
    }
    if (padding_ > 0) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(part.size(), padding_));
      padding_ -= taken;
      position_ += taken;
      part.remove_prefix(taken);
      continue;
    }
    const auto taken = std::min(part.size(), block_bytes - buffer_.size());
    buffer_.append(part.substr(0, taken));
    position_ += taken;
    part.remove_prefix(taken);
    if (buffer_.size() == block_bytes) PAAS_CHECK(block());
  }
  return {};
}

void Scanner::skip(std::uint64_t count) {
  position_ += count;
  const auto content = std::min(count, content_);
  content_ -= content;
  padding_ -= count - content;
}

Status Scanner::block() {
  if (extension_ != 0) {
    PAAS_CHECK(extension(std::exchange(extension_, '\0')));
  }
  const auto raw = std::exchange(buffer_, {});
  if (raw.find_first_not_of('\0') == std::string::npos) {
    ended_ = true;
    return {};
  }
  if (!checksum_holds(raw)) return malformed("a header's checksum is wrong");
  if (!start_) start_ = position_ - block_bytes;
  const auto size = number_field(raw, 124, 12);
  if (!size) return malformed("a header's size is no number");
  const char type = raw[156];
  if (type == 'x' || type == 'g' || type == 'L' || type == 'K') {
    if (*size > largest_extension_bytes) return malformed("an extended header is too large");
    extension_ = type;
    extension_content_.clear();
    content_ = *size;
    padding_ = padding(*size).size();
    return {};
  }
  return begin_member(raw);
}

Status Scanner::extension(char type) {
  if (type == 'x') return read_pax(extension_content_, pax_);
  // GNU's long names end with a NUL. A global header ('g') says nothing about single entries.
  const auto name = extension_content_.substr(0, extension_content_.find('\0'));
  if (type == 'L') pax_["path"] = name;
  if (type == 'K') pax_["linkpath"] = name;
  return {};
}

Status Scanner::begin_member(const std::string& raw) {
  member_ = Member{};
  auto& entry = member_.entry;
  const auto prefix = text_field(raw, 257, 5) == "ustar" && raw[262] == '\0'
                          ? text_field(raw, 345, 155)
                          : std::string();
  entry.path = (prefix.empty() ? "" : prefix + '/') + text_field(raw, 0, 100);
  entry.link = text_field(raw, 157, 100);
  entry.mode = static_cast<std::uint32_t>(number_field(raw, 100, 8).value_or(0));
  entry.owner = static_cast<std::uint32_t>(number_field(raw, 108, 8).value_or(0));
  entry.group = static_cast<std::uint32_t>(number_field(raw, 116, 8).value_or(0));
  entry.modified_seconds = static_cast<std::int64_t>(number_field(raw, 136, 12).value_or(0));
  entry.kind = kind_of(raw[156]);
  // Before POSIX, a directory was a file whose name ends with a slash.
  if (entry.kind == Kind::file && !entry.path.empty() && entry.path.back() == '/') {
    entry.kind = Kind::directory;
  }
  std::uint64_t size = number_field(raw, 124, 12).value_or(0);
  if (const auto found = pax_.find("path"); found != pax_.end()) entry.path = found->second;
  if (const auto found = pax_.find("linkpath"); found != pax_.end()) entry.link = found->second;
  if (const auto found = pax_.find("size"); found != pax_.end()) {
    const auto value = text::to_integer(found->second);
    if (!value || *value < 0) return malformed("an extended header's size is no number");
    size = static_cast<std::uint64_t>(*value);
  }
  pax_.clear();
  entry.path = normal_path(entry.path);
  if (entry.kind != Kind::file && entry.kind != Kind::other) size = 0;
  entry.size_bytes = size;
  content_ = size;
  padding_ = padding(size).size();
  member_.start = *std::exchange(start_, std::nullopt);
  member_.content = position_;
  member_.end = position_ + content_ + padding_;
  if (member_.end < member_.content) return malformed("a header's size is too large");
  return on_member_ ? on_member_(member_) : Status{};
}

Result<std::vector<Member>> index(
    const std::function<Result<std::string>(std::uint64_t, std::size_t)>& read,
    std::uint64_t size_bytes) {
  std::vector<Member> members;
  Scanner scanner([&](const Member& member) -> Status {
    if (member.content + member.entry.size_bytes > size_bytes) return malformed("it is cut short");
    members.push_back(member);
    return {};
  });
  while (!scanner.ended() && scanner.position() < size_bytes) {
    if (const auto skippable = scanner.skippable_bytes(); skippable > 0) {
      scanner.skip(std::min(skippable, size_bytes - scanner.position()));
      continue;
    }
    PAAS_TRY(const auto part, read(scanner.position(), block_bytes));
    if (part.size() != block_bytes) return malformed("it is cut short");
    PAAS_CHECK(scanner.feed(part));
  }
  if (!scanner.ended()) return malformed("its end is missing");
  return members;
}

}  // namespace paas::docker::tar
