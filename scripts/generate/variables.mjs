import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/**
 * From native/tables/variables.json, the environment variables of libSysFlow:
 * src/engine/variables.gen.ts and native/generated/variables.gen.h.
 */
export function generate(root) {
  const table = JSON.parse(readFileSync(join(root, 'native/tables/variables.json'), 'utf8'));
  check(table);
  writeIfChanged(join(root, 'src/engine/variables.gen.ts'), typescript(table));
  writeIfChanged(join(root, 'native/generated/variables.gen.h'), cpp(table));
}

const kinds = ['switch', 'only-on', 'number', 'text', 'filled'];

function check({ switchWords, settings }) {
  const wrong = (text) => {
    throw new Error(`native/tables/variables.json: ${text}`);
  };
  const words = [...switchWords.on, ...switchWords.off];
  if (words.some((word) => word !== word.toLowerCase()) || new Set(words).size !== words.length)
    wrong('switchWords: expected different words in lower case');
  for (const key of ['name', 'setting', 'member']) {
    const values = settings.map((one) => one[key]);
    if (values.includes(undefined) || new Set(values).size !== values.length)
      wrong(`expected a different ${key} in each row`);
  }
  for (const { name, kind, max } of settings) {
    if (!kinds.includes(kind)) wrong(`${name}: unknown kind ${kind}`);
    if ((kind === 'number') !== Number.isInteger(max) || max < 1 || max > 9)
      wrong(`${name}: expected max from 1 to 9 for a number, and only there`);
  }
}

/** The permitted values of a switch, for messages: "1, true, yes, 0, false or no". */
function alternatives(words) {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

const switchText = ({ on, off }) => alternatives([...on, ...off]);
const numberText = (max) => alternatives(Array.from({ length: max + 1 }, (_, digit) => digit));

function typescript({ switchWords, settings, log }) {
  const list = (words) => `[${words.map((word) => `'${word}'`).join(', ')}]`;
  const rows = settings.map(({ name, kind, setting, max }) => {
    const number = kind === 'number' ? `, max: ${max}, expected: '${numberText(max)}'` : '';
    return `  { name: '${name}', kind: '${kind}', setting: '${setting}'${number} },`;
  });
  return `// Generated from native/tables/variables.json by scripts/generate/variables.mjs.

/** Values of a switch, in lower case. */
export const switchWords = {
  on: ${list(switchWords.on)},
  off: ${list(switchWords.off)},
};

/** The accepted values of a switch, for messages. */
export const booleanWords = '${switchText(switchWords)}';

/**
 * The environment variables of the driver. Kinds: a switch; only-on, whose off changes nothing; a
 * number from 0 to max; a text; a text that counts only if it is filled.
 */
export const variableTable = [
${rows.join('\n')}
] as const;

/** Flags of the log. Their variables begin with GLOG_. */
export type LogFlag = ${log.map(({ flag }) => `'${flag}'`).join(' | ')};
`;
}

function cpp({ switchWords, settings, log }) {
  const list = (words) => `{${words.map((word) => `"${word}"`).join(', ')}}`;
  const of = (...wanted) => settings.filter(({ kind }) => wanted.includes(kind));
  const rows = (list, row) =>
    list.map((one) => `    {"${one.name}", &EnvironmentSettings::${one.member}${row(one)}},`);
  const constant = (flag) =>
    `k${flag
      .split('_')
      .map((part) => part[0].toUpperCase() + part.slice(1))
      .join('')}`;
  return `// Generated from native/tables/variables.json by scripts/generate/variables.mjs.
//
// The environment variables of libSysFlow, and their values.
#pragma once

#include <sfkit/environment.h>

#include <optional>
#include <string>

namespace sfkit::library {

// Values of a switch, in lower case.
inline constexpr const char* kSwitchOn[] = ${list(switchWords.on)};
inline constexpr const char* kSwitchOff[] = ${list(switchWords.off)};
// Both, for messages.
inline constexpr const char* kSwitchWords = "${switchText(switchWords)}";

struct SwitchVariable {
  const char* name;
  std::optional<bool> EnvironmentSettings::*setting;
  bool only_on;  // off changes nothing
};
inline constexpr SwitchVariable kSwitches[] = {
${rows(of('switch', 'only-on'), ({ kind }) => `, ${kind === 'only-on'}`).join('\n')}
};

// A digit from 0 to max.
struct NumberVariable {
  const char* name;
  std::optional<int> EnvironmentSettings::*setting;
  int max;
  const char* expected;  // the permitted values, for messages
};
inline constexpr NumberVariable kNumbers[] = {
${rows(of('number'), ({ max }) => `, ${max}, "${numberText(max)}"`).join('\n')}
};

struct TextVariable {
  const char* name;
  std::optional<std::string> EnvironmentSettings::*setting;
  bool only_filled;  // an empty text changes nothing
};
inline constexpr TextVariable kTexts[] = {
${rows(of('text', 'filled'), ({ kind }) => `, ${kind === 'filled'}`).join('\n')}
};

// Variables of the log.
namespace glog {
${log.map(({ flag }) => `inline constexpr const char* ${constant(flag)} = "GLOG_${flag}";`).join('\n')}
}  // namespace glog

}  // namespace sfkit::library
`;
}
