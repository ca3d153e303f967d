// The fuzz targets: each takes any bytes, and throws Broken when a property does not hold.
#pragma once

#include <string_view>

namespace paas::fuzz {

/// A stack file. One that is accepted is the same when its dumped form is read, and after an edit
/// was made and undone.
void stack_file(std::string_view input);

/// A lockfile under the key of 32 times "k". One that decodes is the same when it is written and
/// read again, and an unchanged one is written to the same bytes.
void lockfile(std::string_view input);

/// A plan that was written to a file. Whatever is wrong is an error with its place; one that
/// decodes does not hold for an empty stack.
void plan_file(std::string_view input);

/// A stack file. The configuration of its load balancer has the lines and sections that its
/// structure asks for, whatever its values are, and is read back as it was rendered.
void haproxy_configuration(std::string_view input);

/// What HAProxy answers, one answer after another with a line "%%" between them: statistics, the
/// words of the Runtime API, and configurations. A cut answer is no answer.
void haproxy_answers(std::string_view input);

/// A line with the name of an operation, then the API's answers to what it asks, with a line "%%"
/// between them: a status, headers up to an empty line, and the body. A status of 0 is no answer.
/// A list that ended early is no list, a POST is sent once, and no message tells the token.
void api_answers(std::string_view input);

/// Lines of "METHOD TARGET BODY" for the local cloud, with ends of effects and steps of the clock
/// between them (cloud_requests.cpp). Its state stays sound and survives being kept.
void cloud_requests(std::string_view input);

}  // namespace paas::fuzz
