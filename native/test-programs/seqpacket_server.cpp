// Listens on a SOCK_SEQPACKET unix socket; prints "listening", then each message of one client as a
// line of hexadecimal digits. With MESSAGES, it reads that many and then waits without
// reading.
// Usage: sfkit_seqpacket_server PATH [MESSAGES]
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const long most = argc > 2 ? std::atol(argv[2]) : -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(argv[1]) >= sizeof(address.sun_path)) return 2;
  std::strcpy(address.sun_path, argv[1]);
  ::unlink(argv[1]);
  const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 1) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  std::puts("listening");
  std::fflush(stdout);
  const int client = ::accept(listener, nullptr, nullptr);
  std::vector<unsigned char> message(1 << 20);
  std::string line;
  for (long count = 0; most < 0 || count < most; ++count) {
    const ssize_t size = ::recv(client, message.data(), message.size(), 0);
    if (size <= 0) return 0;
    line.clear();
    for (ssize_t i = 0; i < size; ++i) {
      constexpr char kDigits[] = "0123456789abcdef";
      line += kDigits[message[static_cast<size_t>(i)] >> 4];
      line += kDigits[message[static_cast<size_t>(i)] & 15];
    }
    std::puts(line.c_str());
    std::fflush(stdout);
  }
  ::pause();
  return 0;
}
