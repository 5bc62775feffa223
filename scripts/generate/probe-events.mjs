// What the probe, which is C, needs of native/tables/events.json: event codes, the event that each
// of its programs writes, the layout of each event, and the numbers of system calls.

const SIZES = [0, 1, 2, 4, 8, 16];
// Sizes in a 64-bit word, as four bits each.
const PER_WORD = 16;

/**
 * Which event each program of the probe writes: the name of the system call to the row of the
 * event.
 */
export function eventsOfCalls(events, texts) {
  const ofCall = new Map();
  for (const event of events) {
    for (const call of event.calls ?? []) {
      if (!texts.x86_64_syscalls.includes(call)) {
        throw new Error(
          `native/tables/events.json: ${event.event} names ${call}, which is no system call of x86-64`,
        );
      }
      if (ofCall.has(call)) {
        throw new Error(
          `native/tables/events.json: ${call} is a call of ${event.event} and ${ofCall.get(call).event}`,
        );
      }
      ofCall.set(call, event);
    }
  }
  return ofCall;
}

/** native/generated/event_codes.h; `sizes`: of parameter types, 0 for a variable length. */
export function probeEventsSource(events, texts, sizes) {
  const ofCall = eventsOfCalls(events, texts);
  const shapes = events.map((event) =>
    event.params.map((param) => SIZES.indexOf(sizes[param.split(':')[1]])),
  );
  const word = (shape, from) =>
    shape
      .slice(from, from + PER_WORD)
      .reduce((bits, size, index) => bits | (BigInt(size) << BigInt(4 * index)), 0n)
      .toString(16);
  const rows = events
    .map((event, code) => [event, shapes[code]])
    .filter(([, shape]) => shape.length > 0)
    .map(([event, shape]) => {
      if (shape.length > 2 * PER_WORD)
        throw new Error(`events.json: ${event.event} has too many parameters`);
      const bytes = shape.reduce((sum, size) => sum + SIZES[size], 0);
      return (
        `    case ${event.event}: return ` +
        `(struct event_layout){${shape.length}, ${bytes}, 0x${word(shape, 0)}ull, 0x${word(shape, PER_WORD)}ull};`
      );
    });
  const numbers = texts.x86_64_syscalls
    .map((name, number) => [name, number])
    .filter(([name]) => name !== '')
    .map(([name, number]) => `  number_of_${name} = ${number},`);
  return `// Generated from native/tables/events.json by scripts/generate/probe-events.mjs; for the probe, which is C.
#pragma once

enum event_code {
${events.map(({ event, code }) => `  ${event} = ${code},`).join('\n')}
};

// The event that the program of a system call writes.
enum event_of_call {
${[...ofCall].map(([call, { event }]) => `  event_of_${call} = ${event},`).join('\n')}
};

// Numbers of system calls on x86-64.
enum call_number {
${numbers.join('\n')}
};

// Open flags as events have them.
enum file_flag {
${texts.flags.file_flags.map(([name, value]) => `  FLAG_${name} = ${value},`).join('\n')}
};

struct event_layout {
  unsigned parameters;
  unsigned bytes;  // of those that have a fixed size
  // Of each parameter, four bits: 0 for a variable size, else one more than the power of two.
  unsigned long long first_sizes;  // of the first 16 parameters
  unsigned long long other_sizes;
};

static __attribute__((always_inline)) inline struct event_layout layout_of(unsigned short code) {
  switch (code) {
${rows.join('\n')}
    default: return (struct event_layout){};
  }
}
`;
}
