// Tar archives: POSIX ustar with pax headers for what does not fit; reading also knows GNU's long
// names.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace paas::docker::tar {

constexpr std::size_t block_bytes = 512;

enum class Kind { file, directory, symlink, hardlink, other };

struct Entry {
  std::string path;  ///< Without a leading or trailing slash.
  std::uint32_t mode = 0644;
  Kind kind = Kind::file;
  std::string content;           ///< A file's bytes, for archive().
  std::string link;              ///< Where a link leads.
  std::uint64_t size_bytes = 0;  ///< A file's size, for header(); archive() takes the content's.
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::int64_t modified_seconds = 0;
};

Entry file(std::string path, std::string content, std::uint32_t mode = 0644);
Entry directory(std::string path, std::uint32_t mode = 0755);
Entry symlink(std::string path, std::string target);

/// The blocks that go before an entry's content.
std::string header(const Entry& entry);
/// The zeros that fill a content's last block.
std::string padding(std::uint64_t size_bytes);
/// The two empty blocks at an archive's end.
std::string end();
/// A whole archive in memory, for small ones.
std::string archive(const std::vector<Entry>& entries);

/// An entry of an archive that is being read; content and size_bytes as in the header.
struct Member {
  Entry entry;
  std::uint64_t start = 0;    ///< Where the first of its blocks is (with its extended headers).
  std::uint64_t content = 0;  ///< Where its content is.
  std::uint64_t end = 0;      ///< After its padding.
};

/// Reads an archive as it comes, in parts of any size.
class Scanner {
 public:
  using OnMember = std::function<Status(const Member&)>;
  using OnContent = std::function<Status(const Member&, std::string_view)>;

  /// `on_content` gets the parts of files' contents; it may be empty.
  explicit Scanner(OnMember on_member, OnContent on_content = {})
      : on_member_(std::move(on_member)), on_content_(std::move(on_content)) {}

  /// Error (invalid): not a tar archive; or a callback's.
  Status feed(std::string_view part);
  /// Content of a file (with padding) that skip() may leave out instead of feeding it.
  std::uint64_t skippable_bytes() const { return extension_ == 0 ? content_ + padding_ : 0; }
  void skip(std::uint64_t count);
  /// The end marker was read.
  bool ended() const { return ended_; }
  std::uint64_t position() const { return position_; }

 private:
  Status block();
  Status extension(char type);
  Status begin_member(const std::string& raw);

  OnMember on_member_;
  OnContent on_content_;
  std::string buffer_;
  std::uint64_t position_ = 0;
  std::uint64_t content_ = 0;  ///< Bytes of content still to come.
  std::uint64_t padding_ = 0;
  char extension_ = 0;  ///< The type of the extended header whose content is being read.
  std::string extension_content_;
  std::optional<std::uint64_t> start_;
  std::map<std::string, std::string> pax_;
  Member member_;
  bool ended_ = false;
};

/// Lists the members of an archive of `size_bytes` without reading the files' contents.
Result<std::vector<Member>> index(
    const std::function<Result<std::string>(std::uint64_t offset, std::size_t length)>& read,
    std::uint64_t size_bytes);

}  // namespace paas::docker::tar
