// Translates between HTTP and the local cloud's core.
#include "reconcile/support/cloud_request.hpp"

#include "base/text.hpp"

namespace paas::reconcile::testing {

namespace {

std::string decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

cloud::Request cloud_request(const HttpRequest& request) {
  const auto target = request.url.substr(std::string(cloud_url).size());
  cloud::Request translated;
  translated.method = request.method;
  translated.path = decoded(target.substr(0, target.find('?')));
  if (target.find('?') != std::string::npos) {
    for (const auto& pair : text::split(target.substr(target.find('?') + 1), '&')) {
      translated.query[pair.substr(0, pair.find('='))] = decoded(pair.substr(pair.find('=') + 1));
    }
  }
  translated.authorization = std::string("Bearer ") + cloud_token;
  translated.body = request.body;
  translated.base_url = cloud_url;
  translated.request_id = "request";
  return translated;
}

HttpResponse http_response(const cloud::Answer& answer) {
  HttpResponse response{answer.status, {}, answer.body};
  for (const auto& [name, value] : answer.headers) response.headers[text::lower(name)] = value;
  return response;
}

}  // namespace paas::reconcile::testing
