import type { NaiveRule } from './naive.js';

// Random rules, and values that they may match.

/** Fields for rules: one contains an address and one a number. */
export interface RandomFields {
  all: readonly string[];
  address: string;
  number: string;
}

/** Pieces of text that are hard to quote in YAML, SQL and regular expressions. */
const pieces = [
  ...[
    'a',
    'A',
    'b',
    'sh',
    '/bin/',
    'SH',
    ' ',
    ' -f ',
    ' /f ',
    ' –f',
    '-a-b',
    '.',
    '.*',
    '[x]',
    '(',
    ')',
    '$',
    '^',
    '|',
    '+',
    '{2}',
  ],
  ...[
    "'",
    "''",
    '"',
    '\\',
    '\\\\',
    '\\*',
    '\\?',
    '%',
    '_',
    '\n',
    '\r\n',
    '\t',
    '\0',
    ';--',
    '$$',
    '`',
    '#',
    ': ',
    '&',
    '{a}',
  ],
  ...[
    'ä',
    'Ä',
    'ß',
    'ẞ',
    'σ',
    'ς',
    'Σ',
    'ı',
    'I',
    'K',
    'k',
    'é',
    'e\u0301',
    '日本',
    '🙂',
    '\u202e',
    '\ufeff',
    '\u2028',
    '\u00a0',
    'Ǆ',
    'ǆ',
  ],
];
const wildcards = ['*', '?', '*', '**', '?*'];
export const addresses = [
  '10.0.0.1',
  '10.255.255.255',
  '11.0.0.0',
  '192.168.1.77',
  '::1',
  'fe80::1',
  'febf::',
  'fec0::1',
  '2001:db8::ff00:42:8329',
];
const oddAddresses = [
  '::ffff:10.0.0.1',
  '0:0:0:0:0:0:0:1',
  'FE80:0::1',
  '1.2.3',
  '256.1.1.1',
  ':::',
  '1::2::3',
  '::',
  '10.0.0.1 ',
  '1:2:3:4:5:6:7:8:9',
  '::1.2.3.400',
];
const networks = [
  '10.0.0.0/8',
  '192.168.1.64/26',
  '0.0.0.0/0',
  '::1/128',
  'fe80::/10',
  '2001:db8::/33',
  '::/0',
  '::ffff:0:0/96',
  '10.0.0.1/32',
];
export const numbers = [0, 1, 22, 443, 1024, 65535, -1];
const regexes = [
  'ab?',
  '^/bin',
  'sh$',
  '[a-c]{2}',
  '(?:a|sh)\\s',
  '\\.',
  '[^/]+$',
  'a.b',
  '^b$',
  '\\\\',
  '[\'"]',
  '[\\u00e4\\u00df]',
  '(-f)+',
  '\\d{2,}',
  'A|B',
  '\\*',
];

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  list<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: 1 + this.below(most) }, make);
  }
}

export function text(random: Random, withWildcards: boolean): string {
  const from = withWildcards ? [...pieces, ...wildcards, ...wildcards] : pieces;
  return random.chance(5) ? '' : random.list(4, () => random.of(from)).join('');
}

export function cell(random: Random, kind: 'address' | 'number' | 'text'): string | null {
  if (random.chance(15)) return null;
  if (kind === 'address' && random.chance(70)) return random.of([...addresses, ...oddAddresses]);
  if (kind === 'number' && random.chance(80))
    return String(random.of([...numbers, '0443', '1e3', '22.5', 'x']));
  if (random.chance(20)) return Buffer.from(text(random, false)).toString('base64');
  return text(random, false);
}

const places = ['contains', 'startswith', 'endswith'];

function item(random: Random, { all: names, address, number }: RandomFields): [string, unknown] {
  const field = random.of(names);
  const one = (make: () => unknown) => (random.chance(60) ? make() : random.list(3, make));
  const key = (...modifiers: string[]) =>
    [field, ...modifiers, ...(random.chance(10) ? ['neq'] : [])].join('|');
  const all = random.chance(20) ? ['all'] : [];
  switch (random.below(14)) {
    case 0:
      return [key('exists'), random.chance(50)];
    case 1:
      return [key(), random.chance(50) ? null : [null, text(random, true)]];
    case 2: {
      const flags = ['i', 'm', 's'].filter(() => random.chance(30));
      return [key('re', ...flags, ...all), one(() => random.of(regexes))];
    }
    case 3:
    case 4:
      return [[address, 'cidr', ...all].join('|'), one(() => random.of(networks))];
    case 5:
      return [[number, random.of(['lt', 'lte', 'gt', 'gte'])].join('|'), random.of(numbers)];
    case 6:
      return [key('fieldref', ...(random.chance(50) ? [random.of(places)] : [])), random.of(names)];
    case 7:
      return [
        key(random.of(['base64', 'base64offset']), 'contains'),
        one(() => random.of(['a', 'sh', '/bin/ä', "'", 'ab'])),
      ];
    case 8:
      return [key('windash', ...all, random.of(places)), one(() => text(random, true))];
    case 9:
      return [key('wide', 'base64offset', 'contains'), one(() => random.of(['a', 'sh', 'x']))];
    case 10:
      return [number, one(() => random.of(numbers))];
    case 11:
      return [key(random.of(places), 'cased', ...all), one(() => text(random, true))];
    case 12:
      return [key(random.of(places), ...all), one(() => text(random, true))];
    default:
      return [key(...(random.chance(20) ? ['cased'] : [])), one(() => text(random, true))];
  }
}

function selection(random: Random, fields: RandomFields): unknown {
  const map = () => Object.fromEntries(random.list(2, () => item(random, fields)));
  return random.chance(75) ? map() : random.list(3, map);
}

function condition(random: Random, names: readonly string[], depth = 0): string {
  if (depth > 3 || random.chance(40)) {
    if (random.chance(30))
      return `${random.of(['1', 'any', 'all'])} of ${random.of(['them', 's_*', '*'])}`;
    return random.of(names);
  }
  switch (random.below(4)) {
    case 0:
      return `not ${condition(random, names, 4)}`;
    case 1:
      return `(${condition(random, names, depth + 1)})`;
    default:
      return `${condition(random, names, depth + 1)} ${random.of(['and', 'or'])} ${condition(random, names, depth + 1)}`;
  }
}

export function rule(random: Random, fields: RandomFields): NaiveRule & { title: string } {
  const names = ['s_1', 's_2', 'filter', '_hidden'].slice(0, 1 + random.below(4));
  const selections = Object.fromEntries(names.map((name) => [name, selection(random, fields)]));
  const one = () => condition(random, names);
  return {
    title: 'random',
    detection: { ...selections, condition: random.chance(10) ? [one(), one()] : one() },
  };
}
