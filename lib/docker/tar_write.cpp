// Writing tar archives (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block").
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "docker/tar.hpp"

namespace paas::docker::tar {
namespace {

constexpr std::size_t name_bytes = 100;
constexpr std::size_t prefix_bytes = 155;
constexpr std::uint64_t largest_octal_size = 077777777777;
constexpr std::uint32_t largest_octal_id = 07777777;

void put(std::string& block, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(offset));
}

char type_of(Kind kind) {
  switch (kind) {
    case Kind::directory:
      return '5';
    case Kind::symlink:
      return '2';
    case Kind::hardlink:
      return '1';
    default:
      return '0';
  }
}

/// Where to cut a path into ustar's prefix and name; nothing when it does not fit.
std::optional<std::size_t> cut(std::string_view path) {
  if (path.size() <= name_bytes) return 0;
  if (path.size() > prefix_bytes + 1 + name_bytes) return std::nullopt;
  const auto slash = path.find('/', path.size() - name_bytes - 1);
  if (slash == std::string_view::npos || slash > prefix_bytes || slash + 1 == path.size()) {
    return std::nullopt;
  }
  return slash;
}

std::string block_of(const Entry& entry, std::string_view path, char type, std::uint64_t size) {
  std::string block(block_bytes, '\0');
  const auto at = cut(path);
  if (at && *at > 0) {
    put(block, 0, path.substr(*at + 1));
    put(block, 345, path.substr(0, *at));
  } else {
    put(block, 0, path.substr(0, name_bytes));
  }
  put(block, 100, fmt::format("{:07o}", entry.mode & 07777U));
  put(block, 108, fmt::format("{:07o}", std::min(entry.owner, largest_octal_id)));
  put(block, 116, fmt::format("{:07o}", std::min(entry.group, largest_octal_id)));
  put(block, 124, fmt::format("{:011o}", std::min(size, largest_octal_size)));
  const auto modified = std::max<std::int64_t>(0, entry.modified_seconds);
  put(block, 136,
      fmt::format("{:011o}", std::min<std::int64_t>(modified, std::int64_t(largest_octal_size))));
  block[156] = type;
  put(block, 157, std::string_view(entry.link).substr(0, name_bytes));
  put(block, 257, std::string_view("ustar\00000", 8));
  // The checksum is taken with its own field as blanks.
  put(block, 148, "        ");
  const auto sum = std::accumulate(block.begin(), block.end(), 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  put(block, 148, fmt::format("{:06o}", sum));
  block[154] = '\0';
  return block;
}

/// "LENGTH key=value\n", where the length counts its own digits.
std::string pax_record(std::string_view key, std::string_view value) {
  const auto rest = key.size() + value.size() + 3;
  auto length = rest + 1;
  while (fmt::formatted_size("{}", length) + rest != length) {
    length = fmt::formatted_size("{}", length) + rest;
  }
  return fmt::format("{} {}={}\n", length, key, value);
}

}  // namespace

Entry file(std::string path, std::string content, std::uint32_t mode) {
  Entry entry;
  entry.path = std::move(path);
  entry.content = std::move(content);
  entry.size_bytes = entry.content.size();
  entry.mode = mode;
  return entry;
}

Entry directory(std::string path, std::uint32_t mode) {
  Entry entry;
  entry.path = std::move(path);
  entry.kind = Kind::directory;
  entry.mode = mode;
  return entry;
}

Entry symlink(std::string path, std::string target) {
  Entry entry;
  entry.path = std::move(path);
  entry.kind = Kind::symlink;
  entry.link = std::move(target);
  entry.mode = 0777;
  return entry;
}

std::string header(const Entry& entry) {
  const auto size = entry.kind == Kind::file ? entry.size_bytes : 0;
  const auto path = entry.kind == Kind::directory ? entry.path + '/' : entry.path;
  std::string records;
  if (!cut(path)) records += pax_record("path", path);
  if (entry.link.size() > name_bytes) records += pax_record("linkpath", entry.link);
  if (size > largest_octal_size) records += pax_record("size", std::to_string(size));
  if (entry.owner > largest_octal_id) records += pax_record("uid", std::to_string(entry.owner));
  if (entry.group > largest_octal_id) records += pax_record("gid", std::to_string(entry.group));
  std::string blocks;
  if (!records.empty()) {
    Entry extended;
    extended.mode = 0644;
    blocks = block_of(extended, "PaxHeaders/entry", 'x', records.size());
    blocks += records + padding(records.size());
  }
  return blocks + block_of(entry, path, type_of(entry.kind), size);
}

std::string padding(std::uint64_t size_bytes) {
  const auto over = static_cast<std::size_t>(size_bytes % block_bytes);
  return std::string(over == 0 ? 0 : block_bytes - over, '\0');
}

std::string end() { return std::string(2 * block_bytes, '\0'); }

std::string archive(const std::vector<Entry>& entries) {
  std::string text;
  for (auto entry : entries) {
    entry.size_bytes = entry.content.size();
    text += header(entry);
    if (entry.kind == Kind::file) text += entry.content + padding(entry.size_bytes);
  }
  return text + end();
}

}  // namespace paas::docker::tar
