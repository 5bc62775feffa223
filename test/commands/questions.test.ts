import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpus, hasCorpus, root } from '../helpers/corpus.js';

// Each row of docs/questions.md is one command without SQL, and answers the question.

const rows = readFileSync(join(root, 'docs/questions.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| (.*\?) \| `(sfkit .*)` \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, question, command]) => ({ question: question as string, command: command as string }));

/** What the answer must contain; captures of the corpus answer what the fixtures cannot. */
const answers: readonly { question: RegExp; expected: RegExp; capture?: string }[] = [
  {
    question: /^What ran/,
    expected: /signal 9 │ shop-init[\s\S]*└─ backup --nightly[\s\S]*└─ nginx[\s\S]*└─ sh -c curl/,
  },
  { question: /started which/, expected: /\/usr\/sbin\/nginx +│ \/bin\/sh +│ +1 / },
  { question: /less than a second/, expected: /19\.465725 │ +0 │ cron/ },
  {
    question: /written under/,
    expected: /\/tmp\/\.u +│ \/usr\/bin\/curl[\s\S]*\/etc\/cron\.d\/updates/,
  },
  { question: /deleted or renamed/, expected: /UNLINK +│ \/root\/\.bash_history/ },
  {
    question: /connected where/,
    expected: /\/usr\/bin\/curl .*203\.0\.113\.66 +│ +│ +80 │ +1 │ +871739 │ +59 /,
  },
  { question: /looked up/, expected: /│ (A|AAAA) +│.*NOERROR/ },
  { question: /lasted longest/, expected: /nginx +│ 30396 │[\s\S]*curl/ },
  { question: /opens failed/, expected: /EACCES .*\/etc\/shadow/ },
  { question: /changed user/, expected: /nginx .*setuid/ },
  { question: /started a shell/, expected: /\/usr\/sbin\/nginx .*\/bin\/sh/ },
  { question: /most bytes, calls/, expected: /\/tmp\/\.u +│ 871720 │/ },
  { question: /in each second/, expected: /│ +18 │ +10 │ +10 │ +3 │/ },
  { question: /before a process ended/, expected: /│ shop-init │ chdir/ },
  { question: /descendants do/, expected: /EXEC[\s\S]*\/etc\/shadow/ },
  { question: /new in one capture/, expected: /address │ 203\.0\.113\.66/ },
  { question: /temporary directories/, expected: /\/tmp\/\.u/ },
  {
    question: /listen where/,
    expected: /tcp +│ listening|listen/i,
    capture: 'sysdig-examples/example2_502error.scap',
  },
  {
    question: /CPU time/,
    expected: /haproxy .*0\.05/,
    capture: 'sysdig-examples/example2_502error.scap',
  },
  {
    question: /took longest/,
    expected: /epoll_pwait/,
    capture: 'sysdig-examples/example2_502error.scap',
  },
  { question: /Which data/, expected: /\* \* \* \* \* root/ },
  { question: /said in a connection/, expected: /GET \/u HTTP\/1\.0/ },
  { question: /typed in a terminal/, expected: /curl/ },
  { question: /there at a moment/, expected: /30395[\s\S]*nginx/ },
  { question: /then executed/, expected: /\/tmp\/\.u +│ \/usr\/bin\/curl/ },
];

it('has the 25 questions', () => {
  expect(rows.length).toBe(25);
  expect(answers.length).toBe(25);
  expect(rows.filter(({ command }) => /\bselect\b/i.test(command))).toEqual([]);
});

describe.concurrent('each command answers its question', () => {
  it.each(answers.map((answer) => [String(answer.question), answer] as const))(
    '%s',
    (_, { question, expected, capture }) => {
      const { command } = rows.find((row) => question.test(row.question)) as (typeof rows)[number];
      const args = command.split(' ').slice(1);
      const run = (given: readonly string[]) =>
        spawnSync(process.execPath, [join(root, 'bin/run.js'), ...given], {
          cwd: root,
          encoding: 'utf8',
        });
      const shown = run(args);
      expect(shown.stderr).toBe('');
      expect(shown.status).toBe(0);
      if (capture === undefined) return expect(shown.stdout).toMatch(expected);
      if (!hasCorpus) return;
      expect(
        run(args.map((arg) => (arg.startsWith('fixtures/') ? join(corpus, capture) : arg))).stdout,
      ).toMatch(expected);
    },
    60_000,
  );
});
