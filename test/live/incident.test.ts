import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/check/check.js';
import type { ProcessNames, ReportedFinding } from '../../src/check/finding.js';
import { fixtures, root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { liveTitle, noLive, testProgram } from '../helpers/live.js';
import { startLive } from '../helpers/live-run.js';

// Plays and records the intrusion of fixtures/incident.scap again: rules must report the same
// findings.

const directory = testDirectory();
const program = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_incident'))
  .find(existsSync);
const skipped =
  noLive ??
  (program === undefined ? 'the static C and C++ libraries are not installed' : undefined);
const title = skipped === noLive ? liveTitle : (text: string) => `${text} (skipped: ${skipped})`;

/**
 * Findings about the incident program. A recording also contains other processes of the machine.
 */
async function findingsOf(capture: string): Promise<ReportedFinding[]> {
  const found: ReportedFinding[] = [];
  for await (const finding of check(capture, { rules: join(fixtures, 'rules/incident.yaml') })) {
    const names = [finding.process, ...(finding.process?.ancestors ?? [])].map((one) => one?.name);
    if (names.includes('shop-init')) found.push(finding);
  }
  return found;
}

/** The parts that are the same in every recording. */
const story = (findings: readonly ReportedFinding[]) =>
  findings.map(({ id, rule, count, process, file, connection, container }) => ({
    id,
    rule,
    count,
    command: process?.cmdline,
    uid: process?.uid,
    cwd: process?.cwd,
    ancestors: playedAncestors(process?.ancestors ?? []),
    file: file?.path,
    server: connection?.server,
    container: container?.id,
  }));

/**
 * Ancestors up to the first process of the incident program. A recording of the whole machine has
 * more ancestors.
 */
function playedAncestors(ancestors: readonly ProcessNames[]) {
  const first = ancestors.findIndex(({ name }) => name === 'shop-init');
  return ancestors.slice(0, first + 1).map(({ exepath }) => exepath);
}

/** Names in a directory; none if it is missing. */
const namesIn = (path: string) => (existsSync(path) ? readdirSync(path) : []);

describe.skipIf(skipped !== undefined)(title('a played intrusion'), () => {
  it.each([
    ['record', ['record', '-o']],
    ['live --write', ['live', '-f', 'avro', '-o', '/dev/null', '--write']],
  ])('recorded with %s has the contents of the fixture', async (_, command) => {
    const recording = directory.path('incident.scap');
    const live = startLive([...command, recording]);
    await live.capturing;
    await promisify(execFile)(testProgram('sfkit_incident'));
    expect(await live.end('SIGINT')).toMatchObject({
      exit: 0,
      stderr: expect.stringContaining('lost: nothing'),
    });
    const expected = story(await findingsOf(join(fixtures, 'incident.scap')));
    expect(expected).toHaveLength(13);
    const found = story(await findingsOf(recording));
    // Without control groups the incident program is in no container. The ids of findings include
    // the container named in outputs.
    const plain = found.some(({ container }) => container === undefined);
    const comparable = (stories: typeof found) =>
      plain ? stories.map(({ id, container, ...rest }) => rest) : stories;
    expect(comparable(found)).toEqual(comparable(expected));
  });

  it('leaves nothing on the machine', async () => {
    const places = ['/tmp', '/etc/cron.d', '/root', '/root/.ssh', '/srv', '/sbin', '/var/backups'];
    await promisify(execFile)(testProgram('sfkit_incident'));
    const made = ['.u', '.d', 'updates', 'shop', 'shop-init', 'shadow.bak'];
    expect(places.flatMap(namesIn).filter((name) => made.includes(name))).toEqual([]);
    const groups = ['', ...namesIn('/sys/fs/cgroup')].map((name) =>
      join('/sys/fs/cgroup', name, 'docker'),
    );
    expect(groups.flatMap(namesIn).filter((name) => name.startsWith('7d1c0a9be442'))).toEqual([]);
  });
});
