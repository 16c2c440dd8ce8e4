// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/plugins/fake_http_server.h"

#include <cstdlib>

namespace framelock::testing {

std::optional<std::string> FakeHttpExchange::ReadBody() {
  if (body_ended_) return std::nullopt;
  const std::string length = Header("Content-Length:");
  std::string size_line = length;
  char c = 0;
  while (length.empty() && !size_line.ends_with("\r\n")) {
    if (!ReadExactly(fd_, &c, 1)) return std::nullopt;
    size_line.push_back(c);
  }
  const std::size_t size = std::strtoull(size_line.c_str(), nullptr, length.empty() ? 16 : 10);
  std::string bytes(size, '\0');
  std::string line_end(length.empty() ? 2 : 0, '\0');
  if (!ReadExactly(fd_, bytes.data(), size)) return std::nullopt;
  if (!ReadExactly(fd_, line_end.data(), line_end.size())) return std::nullopt;
  body_ended_ = size == 0 || !length.empty();
  if (size == 0) return std::nullopt;
  return bytes;
}

bool FakeHttpExchange::Respond(std::string_view status, std::string_view headers,
                               std::string_view body) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status).append("\r\n").append(headers);
  answer += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  answer.append(body);
  return Write(answer);
}

void FakeHttpServer::Serve(int fd) {
  for (std::string head = ReadHead(fd); !head.empty(); head = ReadHead(fd)) {
    FakeHttpExchange exchange(fd, head);
    handler_(exchange);
  }
}

}  // namespace framelock::testing
