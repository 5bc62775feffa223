import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const capture = 'fixtures/webserver.scap';

describe('several captures', () => {
  it('events prints those of each, up to -n in all', async () => {
    const one = await place.run(`sfkit events ${capture}`);
    const two = await place.run(`sfkit events ${capture} ${capture}`);
    expect(two.stdout).toBe(one.stdout + one.stdout);
    const lines = one.stdout.split('\n').length - 1;
    const limited = await place.run(
      `sfkit events ${capture} ${capture} -n ${lines + 2} -o out; cat out`,
    );
    expect(limited.stdout).toBe(
      one.stdout + one.stdout.split('\n').slice(0, 2).join('\n').concat('\n'),
    );
    const counted = await place.run(`sfkit events ${capture} ${capture} --count`);
    expect(counted.stdout).toBe(`${capture}: ${lines}\n${capture}: ${lines}\n`);
  });

  it('events and show read the others when one is missing', async () => {
    const one = await place.run(`sfkit events ${capture}; sfkit show ${capture} -f jsonl`);
    const two = await place.run(
      `sfkit events none ${capture}; e=$?; sfkit show none ${capture} -f jsonl; exit $e$?`,
    );
    expect(two.stdout).toBe(one.stdout);
    expect(two.stderr.match(/sfkit: none: no such file/g)).toHaveLength(2);
    expect(two.exit).toBe(11);
  });

  it('show prints one table, array or header', async () => {
    const rows = JSON.parse((await place.run(`sfkit show ${capture} -f json`)).stdout) as {
      idx: number;
    }[];
    const twice = JSON.parse(
      (await place.run(`sfkit show ${capture} ${capture} -f json -o -`)).stdout,
    ) as { idx: number }[];
    expect(twice.sort((one, other) => one.idx - other.idx)).toEqual(
      rows.flatMap((row) => [row, row]),
    );
    const { stdout } = await place.run(`sfkit show ${capture} ${capture} -f csv | grep -c ^idx`);
    expect(stdout).toBe('1\n');
  });

  it('recover writes each into a directory', async () => {
    const { exit } = await place.run(
      `cp ${capture} a.scap; gzip -c a.scap > b.scap.gz; sfkit recover a.scap b.scap.gz -o good/ && cmp good/a.scap good/b.scap`,
    );
    expect(exit).toBe(0);
    const refused = await place.run('sfkit recover a.scap b.scap.gz -o one.scap');
    expect(refused.stderr).toBe(
      'sfkit: -o one.scap: several captures need a directory; write -o one.scap/\n',
    );
    expect(
      (await place.run('mkdir d; cp a.scap d; sfkit recover a.scap d/a.scap -o good/')).stderr,
    ).toContain('two captures are named a.scap');
  });

  it('standard input can be named once', async () => {
    for (const command of ['events', 'info', 'recover -o out.scap', 'convert']) {
      expect((await place.run(`sfkit ${command} - - < ${capture}`)).stderr).toContain(
        'standard input can be read only once',
      );
    }
  });
});

describe('files of other tools', () => {
  it.each(['info', 'events', 'convert', 'show', 'query'])(
    '%s says what they are and what to do',
    async (verb) => {
      writeFileSync(join(place.directory, 'x.scap'), Buffer.from('28b52ffd2400010000', 'hex'));
      const sql = verb === 'query' ? '"select 1 from sysflow"' : '';
      const { stderr, exit } = await place.run(`sfkit ${verb} x.scap ${sql}`);
      expect(stderr).toBe(
        'sfkit: x.scap: is compressed with zstd, which sfkit does not read; pipe its content into sfkit: zstd -dc x.scap | sfkit convert -\n',
      );
      expect(exit).toBe(1);
    },
  );

  it('a section header of version 1.0 alone is refused', async () => {
    const header = String.raw`\n\r\r\n\034\0\0\0\x4d\x3c\x2b\x1a\001\0\0\0\0377\0377\0377\0377\0377\0377\0377\0377\034\0\0\0`;
    const { stderr, exit } = await place.run(
      `printf '%b' '${header}' > head.pcapng; sfkit convert head.pcapng -o head.sf; test -e head.sf && echo made; sfkit info head.pcapng`,
    );
    expect(stderr.match(/has a section header and nothing else/g)).toHaveLength(2);
    expect(exit).toBe(1);
  });
});

describe('help and version', () => {
  it('have their usual spellings', async () => {
    const version = (await place.run('sfkit --version')).stdout;
    expect(version).toMatch(/^sfkit\/\d/);
    for (const spelling of ['-v', '-V', 'version', 'info --version', 'convert -v']) {
      expect((await place.run(`sfkit ${spelling}`)).stdout, spelling).toBe(version);
    }
    const help = (await place.run('sfkit --help')).stdout;
    expect((await place.run('sfkit -h')).stdout).toBe(help);
    const ofInfo = (await place.run('sfkit info --help')).stdout;
    for (const spelling of ['help info', 'info -h', 'info x.scap -h']) {
      expect((await place.run(`sfkit ${spelling}`)).stdout, spelling).toBe(ofInfo);
    }
  });

  it('flags of sysdig are answered with the command of sfkit', async () => {
    const { stderr, exit } = await place.run('sfkit -r x.scap evt.type=open');
    expect(stderr).toContain('the command of sfkit is: sfkit events x.scap --filter evt.type=open');
    expect(exit).toBe(2);
    expect((await place.run('sfkit events -r x.scap')).stderr).toContain(
      'captures are arguments: leave out -r',
    );
  });
});
