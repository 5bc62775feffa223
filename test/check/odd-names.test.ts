import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { corpus } from '../helpers/corpus.js';
import { dangersIn, sarifFaults } from '../helpers/findings.js';

// Names that would have an effect if they were not escaped: markup, commands of CI services,
// bidirectional controls, terminal escapes. Checks them from the capture to every format.
// helpers/findings.ts has more of them.

const rules = join(corpus, 'rules');
const capture = join(rules, 'captures', 'triggers.scap');
const formats = ['table', 'json', 'jsonl', 'sarif', 'junit', 'markdown', 'github', 'gitlab'];

/** Start of the scene "odd names" in nanoseconds since 1970. */
const scene = 1700000027479000000n;

describe.skipIf(!existsSync(capture))('odd names (needs ../shared)', () => {
  it('are inert in every format, and two runs write the same', async () => {
    const place = new Workplace();
    try {
      const run = async (name: string) => {
        mkdirSync(join(place.directory, name));
        const outputs = formats.map((format) => `--format ${format}=${name}/${format}`).join(' ');
        const all = `--rules ${rules}/falco/rules --enable '*' --rule-matching all --evidence 3`;
        const { exit, stderr, stdout } = await place.run(
          `sfkit check ${capture} ${all} ${outputs}`,
        );
        expect([exit, stdout]).toEqual([4, '']);
        expect(dangersIn(stderr)).toEqual([]);
        return Object.fromEntries(
          formats.map((format) => [
            format,
            readFileSync(join(place.directory, name, format), 'utf8'),
          ]),
        );
      };
      const texts = await run('one');
      expect(await run('other')).toEqual(texts);
      const { github = '', sarif = '', junit = '', json = '', ...others } = texts;
      for (const text of [...Object.values(others), sarif, junit, json])
        expect(dangersIn(text)).toEqual([]);
      for (const line of github.trimEnd().split('\n'))
        expect(line).toMatch(/^::(error|warning|notice) /);
      expect(sarifFaults(sarif)).toEqual([]);
      expect(XMLValidator.validate(junit)).toBe(true);
      const findings = JSON.parse(json).findings as {
        ts: string;
        file?: { path?: string };
        process?: { cmdline?: string };
      }[];
      const odd = findings.filter(({ ts }) => BigInt(ts) >= scene);
      expect(odd.length).toBeGreaterThan(0);
      // Programs get the captured text unchanged.
      expect(odd.map(({ file }) => file?.path)).toContain('/etc/\u202etxt.exe\n::error::x');
      expect(odd[0]?.process?.cmdline).toContain('<script>alert(1)</script>');
      const shown = JSON.stringify(new XMLParser({ ignoreAttributes: false }).parse(junit));
      expect(shown).toContain('\\\\u202etxt.exe');
      expect(shown).toContain('<script>alert(1)</script>');
    } finally {
      place.remove();
    }
  });
});
