// Turns the tree of a stack file into a Stack; problems go to the reader.
#pragma once

#include "stack/model.hpp"
#include "stack/reader.hpp"

namespace paas::stack {

/// Reads everything that can be judged by itself. References between parts are check()'s.
Stack read_stack(Reader& reader, const Field& root);

Service read_service(Reader& reader, const std::string& name, const Field& field);
ImageSource read_image(Reader& reader, const Field& field);
/// Logins, by the host of their registry.
std::map<std::string, Registry> read_registries(Reader& reader, const Field& field);
/// {env: VARIABLE} or {file: PATH}.
SecretSource read_secret_source(Reader& reader, const Field& field);
Rule read_rule(Reader& reader, const Field& field);
LoadBalancer read_load_balancer(Reader& reader, const Field& field);
Tls read_tls(Reader& reader, const Field& field);
/// A list of ports that the load balancer listens on: none twice, and not SSH's. `example` is what
/// the hints name.
std::vector<int> read_public_ports(Reader& reader, const Field& field, std::string_view example);
Limit read_limit(Reader& reader, const Field& field);
/// Keys of `lb` that read_traffic() reads.
const std::vector<std::string>& traffic_keys();
Traffic read_traffic(Reader& reader, const Fields& fields);

/// How a service's clients come to the server of before.
Sticky read_sticky(Reader& reader, const Field& field);

/// A duration under `key`, reported when it is out of range.
std::optional<std::chrono::milliseconds> read_duration(Reader& reader, const Fields& fields,
                                                       std::string_view key,
                                                       std::chrono::milliseconds min,
                                                       std::chrono::milliseconds max);

/// Puts what stands under `key`, held to what `parse` accepts, into `target`.
void read_text(Reader& reader, const Fields& fields, std::string_view key,
               Parsed<std::string> (*parse)(std::string_view), std::string& target);
/// A map of variables; numbers and booleans are text as they were written.
std::map<std::string, std::string> read_variables(Reader& reader, const Field& field);
/// A list of addresses in canonical form, without repetition.
std::vector<std::string> read_addresses(Reader& reader, const Field& field);
/// The addresses of an `allow`. An empty one is refused, as some would read it as nobody and some
/// as everybody; `absent_means` is who comes in without the key.
std::vector<std::string> read_allow(Reader& reader, const Field& field,
                                    std::string_view absent_means);

}  // namespace paas::stack
