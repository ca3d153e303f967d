// .dockerignore against the examples of Docker's reference and the cases of its pattern matcher's
// own tests.
#include "docker/ignore.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace paas::docker {
namespace {

bool matches(const std::string& pattern, const std::string& path) {
  const auto parsed = PathPattern::parse(pattern);
  REQUIRE_MESSAGE(parsed, pattern);
  return parsed->matches(path);
}

IgnoreRules rules_of(const std::string& text) {
  auto rules = IgnoreRules::parse(text, ".dockerignore");
  REQUIRE_MESSAGE(rules, rules.error().message);
  return *rules;
}

bool ignores(const std::string& text, const std::string& path) {
  return rules_of(text).ignores(path);
}

TEST_CASE("ignore: patterns match as Docker's matcher has it") {
  struct Case {
    const char* pattern;
    const char* path;
    bool matched;
  };
  // From the table in moby/patternmatcher's TestMatches, as far as it concerns "/" as separator.
  const Case cases[] = {
      {"**", "file", true},
      {"**", "dir/file", true},
      {"**/", "file", true},
      {"**/", "dir/file", true},
      {"**/**", "dir/file", true},
      {"dir/**", "dir/file", true},
      {"dir/**", "dir/dir2/file", true},
      {"dir/**", "dir", false},
      {"**/dir", "dir", true},
      {"**/dir", "dir/file", false},
      {"**/dir2/*", "dir/dir2/file", true},
      {"**/dir2/**", "dir/dir2/dir2/file", true},
      {"**file", "file", true},
      {"**file", "dir/file", true},
      {"**/file", "dir/file", true},
      {"**file", "dir/dir/file", true},
      {"**/file*", "dir/dir/file.txt", true},
      {"**/file*txt", "dir/dir/file.txt", true},
      {"**/file*.txt*", "dir/dir/file.txt", true},
      {"**/**/*.txt", "dir/dir/file.txt", true},
      {"**/**/*.txt2", "dir/dir/file.txt", false},
      {"**/*.txt", "file.txt", true},
      {"**/**/*.txt", "file.txt", true},
      {"a**/*.txt", "a/file.txt", true},
      {"a**/*.txt", "a/dir/file.txt", true},
      {"a**/*.txt", "a/dir/dir/file.txt", true},
      {"a/*.txt", "a/dir/file.txt", false},
      {"a/*.txt", "a/file.txt", true},
      {"a[b-d]e", "ae", false},
      {"a[b-d]e", "ace", true},
      {"a[b-d]e", "aae", false},
      {"a[^b-d]e", "aze", true},
      {".*", ".foo", true},
      {".*", "foo", false},
      {"abc.def", "abcdef", false},
      {"abc.def", "abc.def", true},
      {"abc.def", "abcZdef", false},
      {"abc?def", "abcZdef", true},
      {"abc?def", "abcdef", false},
      {"a\\\\", "a\\", true},
      {"a\\*b", "a*b", true},
      {"a\\*b", "axb", false},
      {"**/foo/bar", "foo/bar", true},
      {"**/foo/bar", "dir/foo/bar", true},
      {"**/foo/bar", "dir/dir2/foo/bar", true},
      {"abc/**", "abc", false},
      {"abc/**", "abc/def", true},
      {"abc/**", "abc/def/ghi", true},
      {"**/.foo", ".foo", true},
      {"**/.foo", "bar.foo", false},
      {"a(b)c/def", "a(b)c/def", true},
      {"a(b)c/def", "a(b)c/xyz", false},
      {"a.|)$(}+{bc", "a.|)$(}+{bc", true},
      {"dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true},
      {"a*b", "a/b", false},
      {"*", "a/b", false},
      {"[]a]", "]", true},
      {"[a-]", "-", true},
  };
  for (const auto& [pattern, path, matched] : cases) {
    CAPTURE(pattern);
    CAPTURE(path);
    CHECK(matches(pattern, path) == matched);
  }
}

TEST_CASE("ignore: the examples of the reference") {
  const std::string first = "# comment\n*/temp*\n*/*/temp*\ntemp?\n";
  CHECK(ignores(first, "somedir/temporary.txt"));
  CHECK(ignores(first, "somedir/temp"));
  CHECK(ignores(first, "somedir/subdir/temporary.txt"));
  CHECK(ignores(first, "tempa"));
  CHECK_FALSE(ignores(first, "temp"));
  CHECK_FALSE(ignores(first, "a/b/c/temp"));

  CHECK_FALSE(ignores("*.md\n!README.md\n", "README.md"));
  CHECK(ignores("*.md\n!README.md\n", "HISTORY.md"));
  CHECK(ignores("*.md\n!README*.md\nREADME-secret.md\n", "README-secret.md"));
  CHECK_FALSE(ignores("*.md\n!README*.md\nREADME-secret.md\n", "README-a.md"));
  CHECK_FALSE(ignores("*.md\nREADME-secret.md\n!README*.md\n", "README-secret.md"));
}

TEST_CASE("ignore: slashes, dots, blanks and comments as the file's reader has them") {
  CHECK(ignores("/foo/bar\n", "foo/bar"));
  CHECK(ignores("foo/bar/\n", "foo/bar"));
  CHECK(ignores("./foo//bar/.\n", "foo/bar"));
  CHECK(ignores("foo/../bar\n", "bar"));
  CHECK(ignores("  foo  \r\n\r\n", "foo"));
  CHECK(
      ignores("\xEF\xBB\xBF"
              "foo\n",
              "foo"));
  CHECK(ignores(" #not-a-comment\n", "#not-a-comment"));
  CHECK_FALSE(ignores("#foo\n", "#foo"));
  CHECK_FALSE(ignores("foo\n! foo\n", "foo"));
  CHECK_FALSE(ignores("foo\n!/foo\n", "foo"));
  CHECK_FALSE(ignores(".\n", "foo"));
  CHECK_FALSE(ignores("/\n", "foo"));
  CHECK_FALSE(ignores("", "foo"));
}

TEST_CASE("ignore: an ignored folder takes what is in it along, until a later rule includes it") {
  CHECK(ignores("docs\n", "docs/a/b.txt"));
  CHECK_FALSE(ignores("docs\n!docs/a\n", "docs/a/b.txt"));
  CHECK(ignores("docs\n!docs/a\ndocs/a/b.txt\n", "docs/a/b.txt"));
  CHECK_FALSE(ignores("*\n!src\n", "src/deep/main.c"));
  CHECK_FALSE(ignores("*\n!**/*.c\n", "src/deep/main.c"));
  CHECK(ignores("**/node_modules\n", "web/node_modules/x/index.js"));
}

TEST_CASE("ignore: an ignored folder is looked into only when something in it may be included") {
  CHECK(rules_of("docs\n!docs/a/keep\n").may_include_below("docs"));
  CHECK(rules_of("docs\n!docs/a/keep\n").may_include_below("docs/a"));
  CHECK_FALSE(rules_of("docs\n!docs/a/keep\n").may_include_below("docs/b"));
  CHECK_FALSE(rules_of("docs\n!documents/keep\n").may_include_below("docs"));
  CHECK(rules_of("*\n!**/*.c\n").may_include_below("any"));
  CHECK(rules_of("*\n!src*/main.c\n").may_include_below("src-1"));
  CHECK_FALSE(rules_of("*\n").may_include_below("any"));
}

TEST_CASE("ignore: a malformed pattern is named with its line") {
  const auto error_of = [](const std::string& text) {
    const auto rules = IgnoreRules::parse(text, "web/.dockerignore");
    return rules ? std::string("none") : rules.error().message;
  };
  CHECK(error_of("a\n\n[b\n") == "web/.dockerignore:3: the pattern [b is malformed");
  CHECK(error_of("a[z-a]\n") == "web/.dockerignore:1: the pattern a[z-a] is malformed");
  CHECK(error_of("a\\\n") == "web/.dockerignore:1: the pattern a\\ is malformed");
  CHECK(error_of("a\n!\n") == "web/.dockerignore:2: \"!\" without a pattern");
}

TEST_CASE("ignore: a pattern full of stars takes no longer than its length times the path's") {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a**/";
  const auto parsed = PathPattern::parse(pattern + "z");
  REQUIRE(parsed);
  const auto began = std::chrono::steady_clock::now();
  CHECK_FALSE(parsed->matches(std::string(2000, 'a')));
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
}

}  // namespace
}  // namespace paas::docker
