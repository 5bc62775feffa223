// Errors of the engine as exceptions of libSysFlow.
#pragma once

#include <sysflow/sysflowexception.h>

#include <string>
#include <string_view>

#include "base/escape.h"

namespace sfkit::libsysflow {

// The exception for `message`, whose lines are made safe to print.
inline sfexception::SysFlowException exception_of(sfexception::SysFlowError code,
                                                  std::string_view message) {
  std::string text;
  for (;;) {
    const size_t end = message.find('\n');
    append_escaped(text, message.substr(0, end));
    if (end == std::string_view::npos) break;
    text += '\n';
    message.remove_prefix(end + 1);
  }
  return {text, code};
}

}  // namespace sfkit::libsysflow
