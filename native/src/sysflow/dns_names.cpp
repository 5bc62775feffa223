#include "sysflow/dns_names.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "state/socket_data.h"

namespace sfkit::sysflow {

uint64_t DnsNames::KeyHash::operator()(const Key& key) const {
  uint64_t words[2];
  std::memcpy(words, key.address.bytes.data(), sizeof(words));
  return mix_words(mix_words(words[0], words[1]), key.ipv6 ? 1 : 0);
}

void DnsNames::read(const state::Context& context) {
  const auto moved = state::socket_data(context, context.slot);
  if (!moved) return;
  const state::Descriptor& socket = *moved->socket;
  const bool is_multicast =
      socket.dport == dns::kMulticastPort || socket.sport == dns::kMulticastPort;
  dns::each_message(message_, moved->data, moved->size, socket.l4 == state::L4::kTcp,
                    is_multicast ? dns::Transport::kMulticast : dns::Transport::kUnicast, [this] {
                      if (message_.is_response) read_message();
                      return true;
                    });
}

void DnsNames::read_message() {
  // The answer to a question may reach its addresses through aliases.
  const bool has_question = message_[0].is_question;
  const bool has_one = has_question && (message_.size() == 1 || !message_[1].is_question);
  SharedText asked;
  for (size_t i = 0; i < message_.size(); ++i) {
    const dns::Record& record = message_[i];
    const size_t size = record.data.size();
    const bool ipv6 = record.type == dns::kTypeAaaa && size == 16;
    if (!ipv6 && (record.type != dns::kTypeA || size != 4)) continue;
    const std::string& name = has_one ? message_[0].name : record.name;
    if (name.size() > kMaxName) continue;
    asked.set(name);
    Key key;
    key.ipv6 = ipv6;
    std::copy_n(record.data.data(), size, key.address.bytes.begin());
    if (newer_.size() == kHalf) {
      older_ = std::move(newer_);
      newer_ = {};
    }
    newer_.put(key, asked);
  }
}

SharedText DnsNames::find(const Address& address, bool ipv6) {
  if (newer_.size() == 0) return {};
  const Key key{address, ipv6};
  if (const SharedText* const name = newer_.find(key)) return *name;
  if (older_.size() == 0) return {};
  const SharedText* const name = older_.find(key);
  return name == nullptr ? SharedText() : *name;
}

}  // namespace sfkit::sysflow
