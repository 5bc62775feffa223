// The objects of the Kubernetes API that sfkit follows, and what it keeps of them.
// src/live/kubernetes/objects.ts does the same for Node.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace sfkit::kubernetes {

// Maximum bytes of the items in an event's payload: a capture has two bytes for the length.
inline constexpr size_t kMaxPayload = 60'000;

// A kind of objects, and its path in the API.
struct Resource {
  std::string_view kind;
  std::string_view path;
  bool of_node = false;  // only objects of this node
  void (*add_members)(std::vector<std::string>& members, const json::Value& found) = nullptr;
};

// Services come before pods, so that the first record of a pod has its services.
std::span<const Resource> all_resources();

// The part of an object that sfkit keeps, as JSON that fits into a payload. It has nothing that may
// be secret: no environments, commands, annotations and volumes.
std::string item_of(const Resource& resource, const json::Value& found);

// Calls `add` with payloads that have all items. `action` is ADDED, MODIFIED or DELETED.
void each_payload(std::string_view action, const Resource& resource,
                  std::span<const std::string_view> items,
                  const std::function<void(const std::string& json)>& add);

// The text of a string; "" for other values and a missing one.
std::string_view text_of(const json::Value* value);
// A number, also from text; 0 for other values and a missing one.
int64_t number_of(const json::Value* value);

}  // namespace sfkit::kubernetes
