// Judges a stack as a whole: references, circles, what each type of service may have.
#pragma once

#include <string>
#include <vector>

#include "stack/model.hpp"
#include "stack/reader.hpp"

namespace paas::stack {

/// Reports to `reader`, which knows where each part stands. Parts that were already reported are
/// not judged again, so that one mistake is one problem.
void check(Reader& reader, const Stack& stack);

/// "services.web"
std::string service_path(const Service& service);

/// Reports placeholders of a template that have no value, and braces without a partner.
void check_template(Reader& reader, const std::string& path, const std::string& value,
                    const std::vector<std::string>& known);

void check_links(Reader& reader, const Stack& stack);
void check_load_balancer(Reader& reader, const Stack& stack);
void check_tls(Reader& reader, const Stack& stack);
void check_firewalls(Reader& reader, const Stack& stack);

/// Circles of links with at least one service in them that is not web, each as the names along it;
/// none begins at a service that another one named. Links to workers and to nothing are left out.
std::vector<std::vector<std::string>> forbidden_circles(const Stack& stack);

}  // namespace paas::stack
