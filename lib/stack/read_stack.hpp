// Turns the tree of a stack file into a Stack; problems go to the reader.
#pragma once

#include "stack/model.hpp"
#include "stack/reader.hpp"

namespace paas::stack {

/// Reads everything that can be judged by itself. References between parts are check()'s.
Stack read_stack(Reader& reader, const Field& root);

Service read_service(Reader& reader, const std::string& name, const Field& field);
ImageSource read_image(Reader& reader, const Field& field);
Rule read_rule(Reader& reader, const Field& field);
LoadBalancer read_load_balancer(Reader& reader, const Field& field);
Tls read_tls(Reader& reader, const Field& field);
/// A list of ports that the load balancer listens on: none twice, and not SSH's. `example` is what
/// the hints name.
std::vector<int> read_public_ports(Reader& reader, const Field& field, std::string_view example);

/// A map of variables; numbers and booleans are text as they were written.
std::map<std::string, std::string> read_variables(Reader& reader, const Field& field);
/// A list of addresses in canonical form, without repetition.
std::vector<std::string> read_addresses(Reader& reader, const Field& field);
/// The addresses of an `allow`. An empty one is refused, as some would read it as nobody and some
/// as everybody; `absent_means` is who comes in without the key.
std::vector<std::string> read_allow(Reader& reader, const Field& field,
                                    std::string_view absent_means);

}  // namespace paas::stack
