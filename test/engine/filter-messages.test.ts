import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/addon.js';
import { refusedFields } from '../../src/engine/fields.gen.js';
import { goldenText } from '../helpers/golden-text.js';

// One filter for each possible error.
const wrong = [
  ' ',
  'x'.repeat(2 ** 20 + 1),
  '(proc.name = a',
  'proc.name = a)',
  'proc.name = a proc.pid = 1',
  'not',
  'proc.name = a && proc.pid = 1',
  'proc.name = a OR proc.pid = 1',
  'proc.name = a # b',
  '!(proc.name = a)',
  'proc.name = a and',
  '(proc.name = a proc.pid = 1)',
  `${'('.repeat(102)}proc.name = a`,
  '= a',
  'nginx',
  'proc.name',
  'proc.name and proc.pid = 1',
  'proc.name ~ a',
  'proc.name contians a',
  'proc.name whatever a',
  'proc.name =',
  'proc.name = (a)',
  'proc.name = "a',
  'proc.name in a',
  'proc.name in (a b)',
  'proc.name in (a, b',
  'proc.name in (a,',
  'proc.nam = a',
  'process.name = a',
  'proc.name.x = a',
  'fd.name[0] = a',
  'evt.arg = a',
  'evt.arg.flagz = a',
  'evt.arg[ = a',
  'evt.arg[] = a',
  'evt.type.is = 1',
  'evt.type.is.opne = 1',
  'evt.around = 1',
  'evt.around[1] < 5',
  'evt.around[soon] = 5',
  'evt.abspath.middle = a',
  'proc.aname[x] = a',
  'proc.aname[2000] = a',
  'proc.env[] = a',
  `proc.env[${'x'.repeat(1100)}] = a`,
  'container.mount = a',
  'proc.pid = one',
  'proc.pid contains 1',
  'fd.port = 70000',
  'fd.port = htpp',
  'evt.failed = maybe',
  'evt.failed > true',
  'fd.ip = 1.2.3',
  'fd.ip = 10.0.0.0/8',
  'fd.cip = 10.0.0.0/8',
  'fd.net = 10.0.0.0/33',
  'fd.net > 1',
  'fd.types = file',
  'evt.dir = out',
  'fd.type = files',
  'fd.typechar = x',
  'evt.io_dir = reads',
  'fd.l4proto = ip',
  'fd.sockfamily = inet',
  'evt.type = opne',
  'evt.type in (open, reed)',
  'evt.buffer bcontains xyz',
  'evt.buffer icontains a',
  'proc.name bcontains 6162',
  'evt.buffer < 5',
  'fd.types < file',
  'evt.rawarg.res < a',
  'proc.name regex "("',
  'proc.name regex "[a"',
  'proc.name regex "[z-a]"',
  'proc.name regex "[[:letter:]]"',
  'proc.name regex "a{2,1}"',
  'proc.name regex "a{5,2}"',
  'proc.name regex "a{2000}"',
  'proc.name regex "((((a{100}){100}){100}){100})"',
  'proc.name regex "*a"',
  'proc.name regex "a)"',
  'proc.name regex "\\\\q"',
  'proc.name regex "\\\\x1"',
  'proc.name = "a\\qb"',
  'proc.name = "a\\x1"',
  'proc.name = "a\\\'b"',
  'proc.name = oneof (a',
  'proc.pid in oneof (1)',
  'proc.pid < anyof (1)',
  'proc.name startswith oneof(a, b) c',
  'concat() = a',
  'concat(proc.name) = a',
  'concat(proc.name, (a, b)) = a',
  'concat(proc.name, proc.aname) = a',
  'concat(proc.name, fd.types) = a',
  'concat(proc.name, proc.nam) = a',
  'join("-") = a',
  'join("-", a) = b',
  'join((a), (b)) = c',
  'join("-", (a, (b))) = c',
  'join("-", (a, b) = c',
  'getopt(proc.args, "x") in (x)',
  'getopt((a), "x")[xy] = a',
  'getopt((a), "x") = x',
  'len(concat(a, b)) = c',
  'proc.name = concat(a',
  `${'concat(a, '.repeat(12)}b${')'.repeat(12)} = a`,
  `concat(a, ${'('.repeat(12)}b${')'.repeat(12)}) = a`,
  'proc.name regex "(?=a)"',
  'lower(proc.name) = a',
  'tolowre(proc.name) = a',
  'tolower(proc.pid) = 1',
  'tolower(proc.name = a',
  'val(proc.name) = a',
  'tolower(fd.ip) = a',
  'b64(proc.pid) = 1',
  'len(evt.num) = 1',
  `${'tolower('.repeat(11)}proc.name${')'.repeat(11)} = a`,
  'proc.name = val(proc.pid)',
  'proc.name = val(proc.aname)',
  'proc.name in val(proc.pid)',
  'proc.name regex val(proc.exe)',
  'proc.name = tolower(proc.nam)',
  `proc.name = a and ${'proc.name = b and '.repeat(20)}proc.nam = c and ${'proc.name = b and '.repeat(20)}proc.name = d`,
  'proc.name = "ä" and proc.nam = c',
];

describe('a wrong filter', () => {
  it('is rejected with a message that names the error, the place and a suggestion', () => {
    const messages = wrong.map((filter) => {
      const shown =
        filter.length > 100 ? `${filter.slice(0, 40)}... (${filter.length} characters)` : filter;
      return `${JSON.stringify(shown)}\n${messageOf(filter)}\n`;
    });
    expect(messages.filter((message) => message.includes('accepted'))).toEqual([]);
    expect(`${messages.join('\n')}\n`).toBe(goldenText('engine/filter-messages.txt', messages));
  });

  it('names fields that cannot be answered, with the reason', () => {
    for (const { name, reason } of refusedFields) {
      expect(messageOf(`${name} = 1`)).toContain(`field '${name}' cannot be answered: ${reason}`);
    }
  });
});

function messageOf(filter: string): string {
  try {
    loadAddon().checkFilter(filter);
    return 'accepted';
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    return (error as Error).message;
  }
}
