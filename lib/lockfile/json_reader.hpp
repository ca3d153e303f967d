// Strict reading of a JSON object: every member has a path, a type, and is either read or refused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "lockfile/json.hpp"
#include "lockfile/seal.hpp"

namespace paas::lockfile {

/// "/services/db": the place of a member, as in RFC 6901.
std::string place_of(const std::string& parent, const std::string& member);
/// What a secret is bound to: the lineage and the place, so that a text from another lockfile does
/// not open either.
std::string seal_place(const std::string& lineage, const std::string& place);

/// What all readers of one text share: the key, and the first thing that was wrong.
struct Reading {
  std::string lineage;
  Key key;
  std::optional<Error> error;
};

/// Reads members of one object, whose names outlive it, as literals do. After something was wrong
/// values are defaults, and Reading::error tells the first problem, so that callers check once.
class JsonReader {
 public:
  JsonReader(const Json& object, std::string place, Reading& reading);

  /// Without control characters: no value may become a second line of a file or a message.
  std::string text(const char* name);
  /// A name, an identifier, an address, a time: letters, digits and ._:/@+- and not "-" first,
  /// because it may become an argument of a program.
  std::string word(const char* name);
  /// A droplet's or a key's identifier: a whole number above zero, in the form in which numbers are
  /// written; or empty.
  std::string number_id(const char* name);
  /// Whole numbers that are at least `least`, and small enough to be counted up.
  std::int64_t integer(const char* name, std::int64_t least = 0);
  int small(const char* name, int least = 0);
  bool flag(const char* name);
  Secret secret(const char* name);
  /// The index of the one of `words` that it is.
  std::size_t choice(const char* name, const std::vector<std::string>& words);
  std::vector<int> small_list(const char* name);
  /// An object whose names and values are words.
  std::map<std::string, std::string> words(const char* name);
  bool has(const char* name) const;
  JsonReader object(const char* name);
  /// Each member of the object of that name, in its order.
  void each(const char* name, const std::function<void(const std::string&, JsonReader)>& read);
  /// Each item of the list of that name.
  void each_item(const char* name, const std::function<void(JsonReader)>& read);
  /// The member as text again, for what another parser reads.
  std::string raw(const char* name);
  /// Notes what another parser says of a member.
  void refuse(const char* name, const Error& error);
  /// Refuses members that nobody read: a newer program wrote them, and saving would lose them.
  void finish();

 private:
  const Json* find(const char* name);
  void wrong(const char* name, const std::string& what);

  const Json& object_;
  std::string place_;
  Reading& reading_;
  std::vector<std::string_view> read_;
};

}  // namespace paas::lockfile
