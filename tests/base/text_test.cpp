// Small operations on text, at their edges.
#include "base/text.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace paas::text {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;
using Texts = std::vector<std::string>;

TEST_CASE("text: splitting keeps empty parts") {
  CHECK(split("a,b", ',') == Texts{"a", "b"});
  CHECK(split("", ',') == Texts{""});
  CHECK(split(",a,,", ',') == Texts{"", "a", "", ""});
}

TEST_CASE("text: lines lose their ends and the last empty one") {
  CHECK(lines("").empty());
  CHECK(lines("a") == Texts{"a"});
  CHECK(lines("a\r\nb\n") == Texts{"a", "b"});
  CHECK(lines("\n\na\n\n") == Texts{"", "", "a", ""});
}

TEST_CASE("text: joining is the other way round") {
  CHECK(join({}, ", ").empty());
  CHECK(join({"a"}, ", ") == "a");
  CHECK(join({"a", "", "b"}, ", ") == "a, , b");
}

TEST_CASE("text: trimming takes blanks off both ends only") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \t\r\n").empty());
  CHECK(trim("").empty());
}

TEST_CASE("text: lower case changes ASCII letters only") {
  CHECK(lower("AbZ-09_[`{\xc3\x84") == "abz-09_[`{\xc3\x84");
}

TEST_CASE("text: replacing does not look at what it put in") {
  CHECK(replace_all("aaa", "a", "aa") == "aaaaaa");
  CHECK(replace_all("abab", "ab", "") == "");
  CHECK(replace_all("abc", "x", "y") == "abc");
  CHECK(replace_all("abc", "", "y") == "abc");
}

TEST_CASE("text: an integer is decimal digits and nothing else") {
  CHECK(to_integer("0") == 0);
  CHECK(to_integer("-42") == -42);
  CHECK(to_integer("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  for (const char* text :
       {"", "-", "+1", " 1", "1 ", "1.0", "0x10", "1e3", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK_FALSE(to_integer(text));
  }
  CHECK_FALSE(to_integer(std::string_view("1\0", 2)));
}

TEST_CASE("text: bytes are shown in decimal units with one digit") {
  CHECK(bytes(0) == "0 B");
  CHECK(bytes(999) == "999 B");
  CHECK(bytes(1000) == "1.0 kB");
  CHECK(bytes(1549) == "1.5 kB");
  CHECK(bytes(999949) == "999.9 kB");
  CHECK(bytes(999950) == "1.0 MB");
  CHECK(bytes(1500000000) == "1.5 GB");
  CHECK(bytes(std::numeric_limits<std::uint64_t>::max()) == "18.4 EB");
}

TEST_CASE("text: durations round to what is worth knowing") {
  CHECK(duration(milliseconds(0)) == "0.0s");
  CHECK(duration(milliseconds(12345)) == "12.3s");
  CHECK(duration(milliseconds(59949)) == "59.9s");
  CHECK(duration(milliseconds(59950)) == "1m00s");
  CHECK(duration(milliseconds(125000)) == "2m05s");
  CHECK(duration(milliseconds(3599499)) == "59m59s");
  CHECK(duration(milliseconds(3599500)) == "1h00m");
  CHECK(duration(milliseconds(90061000)) == "25h01m");
}

TEST_CASE("text: a clock that went backwards shows no time at all") {
  CHECK(duration(milliseconds(-1500)) == "0.0s");
}

TEST_CASE("text: timestamps are RFC 3339 in UTC") {
  const auto time = system_clock::time_point(seconds(1769847300));
  CHECK(timestamp(time) == "2026-01-31T08:15:00Z");
  CHECK(timestamp(system_clock::time_point()) == "1970-01-01T00:00:00Z");
}

TEST_CASE("text: the distance counts single edits, a swap of neighbours as one") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("port", "prot") == 1);
  CHECK(edit_distance("ab", "ba") == 1);
  CHECK(edit_distance("ca", "abc") == 3);
}

TEST_CASE("text: the nearest name is one that could have been meant") {
  const Texts keys = {"port", "image", "links", "health", "env"};
  CHECK(nearest("prot", keys) == "port");
  CHECK(nearest("PORT", keys) == "port");
  CHECK(nearest("link", keys) == "links");
  CHECK(nearest("heatlh", keys) == "health");
  CHECK_FALSE(nearest("volume", keys));
  CHECK_FALSE(nearest("", keys));
  CHECK_FALSE(nearest("x", {"y"}));
  CHECK_FALSE(nearest("x", {}));
  CHECK(nearest("dbx", {"dby", "db"}) == "dby");
}

TEST_CASE("text: base64 as RFC 4648 gives it, both ways") {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : pairs) {
    CHECK(base64_encode(plain) == encoded);
    CHECK(base64_decode(encoded) == plain);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  CHECK(base64_decode(base64_encode(all)) == all);
  CHECK(base64_decode("Zg") == "f");
}

TEST_CASE("text: nesting counts lists and objects outside of texts") {
  CHECK(nesting("") == 0);
  CHECK(nesting("7") == 0);
  CHECK(nesting(R"({"a": [1, {"b": []}], "c": {}})") == 4);
  CHECK(nesting(R"(["[[[", "\"[[", "\\", ["]"]])") == 2);
  CHECK(nesting("]]}") == 0);
  CHECK(nesting(std::string(100'000, '[')) == 100'000);
}

TEST_CASE("text: what is not base64 is refused") {
  for (const char* text : {"Z", "Zg=", "Zg===", "=", "====", "Zm9v=", "Z g=", "Zm9v\n",
                           "Zh==", "Zm9v====", "Zm-_", "Zg==Zg=="}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text));
  }
}

TEST_CASE("text: hexadecimal has two digits a byte") {
  CHECK(hex("") == "");
  CHECK(hex(std::string_view("\0\x0f\xff", 3)) == "000fff");
}

}  // namespace
}  // namespace paas::text
