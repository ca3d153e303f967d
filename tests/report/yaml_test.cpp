// YAML documents are read back with yaml-cpp and compared with the JSON that they were made of.
#include "report/yaml.hpp"

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

using paas::report::to_yaml;

TEST_CASE("report: a document becomes YAML in block style with its keys in order") {
  CHECK(to_yaml(R"({"stack": "shop", "servers": [{"name": "shop-web-1", "number": 1, "tags": []},
                   {"name": "shop-db-1", "up": true}], "empty": {}, "nothing": null})") ==
        "stack: shop\n"
        "servers:\n"
        "  - name: shop-web-1\n"
        "    number: 1\n"
        "    tags: []\n"
        "  - name: shop-db-1\n"
        "    up: true\n"
        "empty: {}\n"
        "nothing: null\n");
}

TEST_CASE("report: lists may be at the top and in lists") {
  CHECK(to_yaml("[]") == "[]\n");
  CHECK(to_yaml(R"([1, [2, [3]], {"a": {"b": 1}}])") ==
        "- 1\n"
        "- - 2\n"
        "  - - 3\n"
        "- a:\n"
        "    b: 1\n");
}

TEST_CASE("report: texts come back from YAML as the texts they were") {
  const std::vector<std::string> texts = {
      "",          "yes", "No",          "null",      "~",        "12",       "1e3",
      "0x10",      "-",   "- a",         "a: b",      "a #b",     "#",        "'",
      "\"",        "{x}", "[x]",         "*a",        "&a",       "!tag",     "%d",
      "@x",        "`x`", "two\nlines",  "tab\there", " blank ",  "10.0.0.1", "2026-11-22",
      "http://x/", "ü",   "back\\slash", ".inf",      "12:30:45", "true",     "a,b"};
  for (const auto& text : texts) {
    CAPTURE(text);
    std::string json = "[\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') json += '\\';
      if (c == '\n') {
        json += "\\n";
      } else if (c == '\t') {
        json += "\\t";
      } else {
        json += c;
      }
    }
    const auto document = YAML::Load(to_yaml(json + "\"]"));
    REQUIRE(document.IsSequence());
    CHECK(document[0].as<std::string>() == text);
    // Quotes, or a plain word that is no number and no boolean.
    const bool quoted = document[0].Tag() == "!";
    bool truth = false;
    double number = 0;
    CHECK((quoted || (!YAML::convert<bool>::decode(document[0], truth) &&
                      !YAML::convert<double>::decode(document[0], number))));
  }
}

TEST_CASE("report: what is no JSON is left alone") { CHECK(to_yaml("not json") == "not json"); }
