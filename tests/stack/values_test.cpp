// Values held to their allowlists, at the edges of each.
#include "stack/values.hpp"

#include <doctest/doctest.h>

namespace paas::stack {
namespace {

using std::chrono::milliseconds;

TEST_CASE("stack: names fit host names, tags and container names") {
  for (const char* good : {"a", "web", "web-2", "a-name-of-exactly-thirty-chars"}) {
    CAPTURE(good);
    CHECK(parse_name(good) == std::string(good));
  }
  for (const char* bad : {"", "-a", "a-", "1a", "A", "a_b", "a.b", "a b", "a\n", "\xc3\xa4",
                          "a-name-of-exactly-thirty-one-ch"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_name(bad));
  }
  CHECK_FALSE(parse_name(std::string_view("a\0b", 3)));
  CHECK(parse_name("My App!").error().hint.find("\"my-app\"") != std::string::npos);
}

TEST_CASE("stack: variables have the names that POSIX gives them") {
  CHECK(parse_variable_name("_A9z"));
  for (const char* bad : {"", "9A", "A-B", "A B", "A=B", "A\n", "\xc3\x84"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_variable_name(bad));
  }
  CHECK(parse_variable_value("tab\tand\nline, \xc3\xa4, $HOME \"quoted\""));
  CHECK_FALSE(parse_variable_value(std::string_view("\0", 1)));
  CHECK_FALSE(parse_variable_value("\r"));
  CHECK_FALSE(parse_variable_value("\x1b[0m"));
  CHECK_FALSE(parse_variable_value("\x7f"));
}

TEST_CASE("stack: addresses are read as POSIX reads them and written in one form") {
  CHECK(parse_cidr("203.0.113.7") == "203.0.113.7/32");
  CHECK(parse_cidr("10.0.0.0/8") == "10.0.0.0/8");
  CHECK(parse_cidr("0.0.0.0/0") == "0.0.0.0/0");
  CHECK(parse_cidr("255.255.255.255/32") == "255.255.255.255/32");
  CHECK(parse_cidr("128.0.0.0/1") == "128.0.0.0/1");
  CHECK(parse_cidr("10.1.2.128/25") == "10.1.2.128/25");
  CHECK(parse_cidr("::/0") == "::/0");
  CHECK(parse_cidr("2001:DB8:0:0::1") == "2001:db8::1/128");
  CHECK(parse_cidr("2001:db8::/33") == "2001:db8::/33");
  CHECK(parse_cidr("::ffff:192.0.2.1") == "::ffff:192.0.2.1/128");
  for (const char* bad : {"",
                          "/",
                          "10.0.0.0/",
                          "10.0.0/8",
                          "10.0.0.256",
                          "010.0.0.1",
                          "10.0.0.0/33",
                          "10.0.0.0/-1",
                          "10.0.0.0/08",
                          "10.0.0.0/8/8",
                          " 10.0.0.0",
                          "10.0.0.0 ",
                          "10.0.0.1/24",
                          "2001:db8::/129",
                          "2001:db8::1/64",
                          "fe80::1%eth0",
                          "[::1]",
                          "example.com",
                          "1",
                          "0x7f.1",
                          "128.0.0.0/0"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_cidr(bad));
  }
  CHECK_FALSE(parse_cidr(std::string_view("10.0.0.1\0x", 10)));
  CHECK(parse_cidr("10.1.2.3/12").error().hint ==
        "write the network 10.0.0.0/12 or the address 10.1.2.3/32");
}

TEST_CASE("stack: hosts and paths have nothing that HAProxy would read otherwise") {
  CHECK(parse_host("API.Example.com") == "api.example.com");
  CHECK(parse_host("localhost"));
  CHECK(parse_http_path("/"));
  CHECK(parse_http_path("/api/v1.0/a-b_c~d%20:@,=+"));
  CHECK(parse_health_path("/up?a=b&c=d"));
  const std::string forbidden = "\r\n\"'$#\\ \t{};`|<>()*!^[]\x7f";
  for (const char c : forbidden + std::string(1, '\0')) {
    CAPTURE(static_cast<int>(c));
    CHECK_FALSE(parse_host(std::string("a") + c + "b"));
    CHECK_FALSE(parse_http_path(std::string("/a") + c));
    CHECK_FALSE(parse_health_path(std::string("/a") + c));
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "a:80", "http://a", "*.a"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_host(bad));
  }
  CHECK_FALSE(parse_host(std::string(64, 'a')));
  CHECK_FALSE(parse_http_path(""));
  CHECK_FALSE(parse_http_path("api"));
  CHECK_FALSE(parse_http_path("/" + std::string(512, 'a')));
}

TEST_CASE("stack: durations have units, the larger ones first") {
  CHECK(parse_duration("500ms") == milliseconds(500));
  CHECK(parse_duration("2s") == milliseconds(2000));
  CHECK(parse_duration("1m30s") == milliseconds(90000));
  CHECK(parse_duration("1h1m1s1ms") == milliseconds(3661001));
  CHECK(parse_duration("0s") == milliseconds(0));
  for (const char* bad : {"", "2", "s", "2 s", "-2s", "1.5s", "2S", "1s1m", "1s1s", "2s ", "2sec",
                          "99999999999999999999s"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
  CHECK(parse_duration("2").error().hint == "it lacks the unit: write 2s");
}

TEST_CASE("stack: volumes are counted in GiB") {
  CHECK(parse_volume_size("1GiB") == 1);
  CHECK(parse_volume_size("10 GiB") == 10);
  CHECK(parse_volume_size("16384GiB") == 16384);
  CHECK(parse_volume_size("16TiB") == 16384);
  for (const char* bad : {"", "10", "GiB", "0GiB", "16385GiB", "17TiB", "1.5GiB", "-1GiB", "10GB",
                          "10gib", "99999999999999999999GiB"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_volume_size(bad));
  }
}

TEST_CASE("stack: numbers are decimal and in range") {
  CHECK(parse_integer("80", 1, 65535) == 80);
  CHECK(parse_integer("65535", 1, 65535));
  for (const char* bad :
       {"", "0", "65536", "08", "+8", "8.0", "8_0", "0x8", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_integer(bad, 1, 65535));
  }
  CHECK(parse_positive_number("0.5") == 0.5);
  CHECK(parse_positive_number("1e3") == 1000.0);
  for (const char* bad : {"", "0", "-1", "inf", "nan", "1e999", "1x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_positive_number(bad));
  }
  CHECK(parse_port_range("1-65535"));
  CHECK(parse_port_range("all"));
  for (const char* bad : {"", "-", "1-", "-1", "2-1", "0-1", "1-65536", "1-2-3", "any"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_port_range(bad));
  }
}

TEST_CASE("stack: paths stay where they belong") {
  CHECK(parse_mount("/var/lib/data"));
  for (const char* bad : {"", "/", "//", "data", "/a/../b", "/a:b", "/a b", "/a,b"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_mount(bad));
  }
  CHECK(parse_inner_path("docker/web.Dockerfile"));
  CHECK(parse_inner_path("..hidden"));
  for (const char* bad : {"", "/etc/passwd", "..", "../x", "a/../../b", "a\nb"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_inner_path(bad));
  }
}

TEST_CASE("stack: slugs, schemes, identifiers, measures and references") {
  for (const char* good : {"s-1vcpu-1gb", "so1_5-2vcpu-16gb", "nyc3", "debian-12-x64", "123"}) {
    CAPTURE(good);
    CHECK(parse_slug(good));
  }
  for (const char* bad : {"", "-a", "S-1", "a b", "a/b", "a\n"}) CHECK_FALSE(parse_slug(bad));
  CHECK(parse_scheme("postgresql"));
  CHECK(parse_scheme("git+ssh"));
  for (const char* bad : {"", "1a", "http:", "a/b", "HTTP"}) CHECK_FALSE(parse_scheme(bad));
  CHECK(parse_identifier("app_1-x"));
  for (const char* bad : {"", "1a", "-a", "a b", "a'b", "a;b"}) CHECK_FALSE(parse_identifier(bad));
  CHECK(parse_metric("requests_per_second.per_instance"));
  for (const char* bad : {"", ".", "a.", "a..b", "A", "a b"}) CHECK_FALSE(parse_metric(bad));
  CHECK(parse_image_reference("ghcr.io/acme/web:1.4"));
  CHECK(parse_image_reference("postgres@sha256:0123abcd"));
  for (const char* bad : {"", "-x", "a b", "a;b", "A/b", "a\n"}) {
    CHECK_FALSE(parse_image_reference(bad));
  }
}

}  // namespace
}  // namespace paas::stack
