// What each event of native/tables/events.json does: the handler that follows it, the operation it
// counts as, the parameters that are paths, the descriptor it makes. Every event must have a
// decision, so that a row that was forgotten fails the build instead of giving no record.

const DESCRIPTORS = [
  'event',
  'signal',
  'timer',
  'inotify',
  'event_poll',
  'userfault',
  'io_uring',
  'bpf',
  'memfd',
  'pidfd',
];
// Handlers that take the kind of the descriptor from the table.
const MAKERS = ['new_fd', 'marked_fd', 'epoll', 'bpf', 'old_bpf', 'memfd', 'pidfd_open'];
const SHOWN = ['node', 'directory', 'socket'];

const pascal = (name) =>
  name
    .toLowerCase()
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');

const isCall = (event) => event.kind === 'syscall';
const isUnused = (event) => event.kind === 'none';
// The enter event of a call belongs to the exit event after it, which has the decision for both.
const isEnter = (event) => isCall(event) && event.code % 2 === 0;

/**
 * The names of an event's own parameters and, as old captures have them there, of its enter event.
 */
function parameterNames(events, event) {
  const own = [...event.params, ...(event.code % 2 === 1 ? events[event.code - 1].params : [])];
  return new Set(own.map((param) => param.split(':')[0]));
}

function check(events) {
  for (const event of events) {
    const fail = (what) => {
      throw new Error(`native/tables/events.json: ${event.event} ${what}`);
    };
    const decides = !isUnused(event) && !isEnter(event);
    if (decides && event.handler === undefined) {
      fail(
        'has no "handler": name one, or write "none" if the event changes no state and makes no record',
      );
    }
    if (!decides && event.handler !== undefined)
      fail('has a "handler", which only exits and other events have');
    if (event.handler === 'none' && event.op)
      fail('has an operation: its handler must be "seen" at least');
    if (MAKERS.includes(event.handler) !== (event.makes !== undefined)) {
      fail(
        `and its "makes" disagree: the handlers ${MAKERS.join(', ')} need it, others do not take it`,
      );
    }
    if (event.makes !== undefined && !DESCRIPTORS.includes(event.makes))
      fail(`makes the unknown "${event.makes}"`);
    if (event.shows !== undefined && !SHOWN.includes(event.shows))
      fail(`shows the unknown "${event.shows}"`);
    if (event.letter !== undefined && !/^[a-z0-9]$/.test(event.letter))
      fail('has a "letter" that is none');
    const isCurrentCall =
      isCall(event) && event.code % 2 === 1 && !event.flags.includes('old_version');
    if (isCurrentCall && event.calls === undefined) {
      fail('has no "calls": list the system calls that the probe records as it, or [] for none');
    }
    const known = parameterNames(events, event);
    const paths = event.paths ?? [];
    if (paths.length > 2) fail('has more than two "paths"');
    for (const name of paths.flatMap((path) => path.split('@'))) {
      if (!known.has(name)) fail(`has no parameter "${name}", which is in its "paths"`);
    }
  }
}

/** The handlers of some events, "none" first. */
function handlersOf(events) {
  const names = new Set(events.map((event) => event.handler ?? 'none'));
  names.delete('none');
  return ['none', ...[...names].sort()];
}

/** native/generated/event_roles.gen.h */
export function rolesSource(events) {
  check(events);
  const list = (values) => values.join(', ').replace(/(.{60,90}?,) /g, '$1\n    ');
  const handlers = handlersOf(events.filter(isCall));
  const otherHandlers = handlersOf(events.filter((event) => !isCall(event)));
  const handlerList = (type, wanted) =>
    list(events.map((event) => `${type}::k${pascal((wanted(event) && event.handler) || 'none')}`));
  const parameter = (name) => (name === undefined ? 'kNoParameter' : `P::${name}`);
  const withPaths = events.filter((event) => event.paths !== undefined);
  const paths = withPaths.map((event) => {
    const [[first, directory], [second, secondDirectory] = []] = event.paths.map((path) =>
      path.split('@'),
    );
    return `{${[first, directory, second, secondDirectory].map(parameter).join(', ')}},  // ${event.event}`;
  });
  const pathsOf = events.map((event) => withPaths.indexOf(event) + 1);
  // The descriptor of an event is asked for by its enter event, too.
  const letters = events.map((event) => events[event.code | 1]?.letter ?? 'o');
  return `// Generated from native/tables/events.json by scripts/generate/event-roles.mjs.
#pragma once

#include <cstdint>

#include "events.gen.h"
#include "state/descriptor.h"

namespace sfkit::state {

// What the engine does when a system call returns. kNone: the call changes no state and makes no
// record. kSeen: it changes no state, but the layer above may count it.
enum class Handler : uint8_t {
  ${handlers.map((name) => `k${pascal(name)},`).join('\n  ')}
};

// By event code. Enter events have none; their exit events have.
inline constexpr Handler kHandlers[scap::kEventCount] = {
    ${handlerList('Handler', isCall)}};

// What the engine does with events that are not system calls.
enum class OtherHandler : uint8_t {
  ${otherHandlers.map((name) => `k${pascal(name)},`).join('\n  ')}
};

// By event code.
inline constexpr OtherHandler kOtherHandlers[scap::kEventCount] = {
    ${handlerList('OtherHandler', (event) => !isCall(event))}};

// By event code: the kind of descriptor that a call makes, where its handler asks for it.
inline constexpr FdType kMadeTypes[scap::kEventCount] = {
    ${list(events.map((event) => `FdType::k${pascal(event.makes ?? 'unknown')}`))}};

// By event code: the letter of that kind, as the field fd.typechar shows it for a call that made
// none.
inline constexpr char kMadeLetters[scap::kEventCount + 1] =
    "${letters.join('').replace(/(.{80})(?=.)/g, '$1"\n    "')}";

// The kind of file that an event proves. Such an event is no operation.
enum class FileShown : uint8_t { kNone, ${SHOWN.map((name) => `k${pascal(name)}`).join(', ')} };

// By event code.
inline constexpr FileShown kFilesShown[scap::kEventCount] = {
    ${list(events.map((event) => `FileShown::k${pascal(event.shows ?? 'none')}`))}};

// No call names a file in its result.
inline constexpr scap::P kNoParameter = scap::P::res;

// The parameters of a call that are paths. \`second\` is the target of a call with two paths. The
// target of a symbolic link is the path that it contains.
struct PathParameters {
  scap::P path;
  scap::P directory;  // kNoParameter: the working directory
  scap::P second;     // kNoParameter: a call with one path
  scap::P second_directory;
};

namespace generated {

using scap::P;

inline constexpr PathParameters kPaths[] = {
    ${paths.join('\n    ')}
};

// By event code: one more than the index into kPaths, 0 for events without paths.
inline constexpr uint8_t kPathsOf[scap::kEventCount] = {
    ${list(pathsOf)}};

}  // namespace generated

// nullptr for events without paths.
inline constexpr const PathParameters* paths_of(uint16_t code) {
  const uint8_t place = generated::kPathsOf[code];
  return place == 0 ? nullptr : &generated::kPaths[place - 1];
}

}  // namespace sfkit::state
`;
}

/** native/generated/event_ops.gen.h; \`ops\`: the names of operations, by bit. */
export function opsSource(events, ops) {
  const known = new Set([...ops, 'TRANSFER']);
  const one = (event, name) => {
    if (!name) return '0';
    if (!known.has(name))
      throw new Error(
        `native/tables/events.json: ${event.event} has the unknown operation ${name}`,
      );
    return `kOp${pascal(name)}`;
  };
  const list = (name, of) =>
    `inline constexpr uint32_t ${name}[scap::kEventCount] = {\n    ${events
      .map((event) => one(event, of(event)))
      .join(', ')
      .replace(/(.{60,90}?,) /g, '$1\n    ')}};`;
  return `// Generated from native/tables/events.json by scripts/generate/event-roles.mjs.
#pragma once

#include <cstdint>

#include "events.gen.h"
#include "ops.gen.h"

namespace sfkit::sysflow {

// By event code: the operation that the event counts as, 0 for none.
${list('kDefaultOps', (event) => event.op)}

// The same as the collector 0.7 counts.
${list('kCompatOps', (event) => (event.compat_op === undefined ? event.op : event.compat_op))}

}  // namespace sfkit::sysflow
`;
}
