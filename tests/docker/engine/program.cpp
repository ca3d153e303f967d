// The only program in the tests' images: does one small thing, named by its first argument.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// Ends with status 0 on SIGTERM, as a service does that stops in an orderly way.
int wait_for_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::puts("ready");
  std::fprintf(stderr, "careful\n");
  std::fflush(stdout);
  int signal = 0;
  return sigwait(&signals, &signal);
}

int copy(std::FILE* from) {
  char part[65536];
  for (std::size_t got = 0; (got = std::fread(part, 1, sizeof(part), from)) > 0;) {
    std::fwrite(part, 1, got, stdout);
  }
  return 0;
}

int write_file(const char* path, const char* text, long count) {
  std::FILE* const file = std::fopen(path, "w");
  if (file == nullptr) return 1;
  for (long i = 0; i < count; ++i) std::fputs(text, file);
  std::printf("wrote %s\n", path);
  return std::fclose(file);
}

int read_file(const char* path) {
  std::FILE* const file = std::fopen(path, "r");
  return file == nullptr ? 1 : copy(file);
}

}  // namespace

int main(int count, char** arguments) {
  const char* const command = count > 1 ? arguments[1] : "";
  if (std::strcmp(command, "wait") == 0) return wait_for_end();
  if (std::strcmp(command, "copy") == 0) return copy(stdin);
  if (std::strcmp(command, "linger") == 0 && count == 3) {
    std::fclose(stdout);
    std::fclose(stderr);
    usleep(300'000);
    return std::atoi(arguments[2]);
  }
  if (std::strcmp(command, "env") == 0) {
    for (char** variable = environ; *variable != nullptr; ++variable) std::puts(*variable);
    return 0;
  }
  if (std::strcmp(command, "say") == 0 && count == 5) {
    std::fputs(arguments[2], stdout);
    std::fputs(arguments[3], stderr);
    return std::atoi(arguments[4]);
  }
  if (std::strcmp(command, "write") == 0 && count == 5) {
    return write_file(arguments[2], arguments[3], std::atol(arguments[4]));
  }
  if (std::strcmp(command, "read") == 0 && count == 3) return read_file(arguments[2]);
  return 64;
}
