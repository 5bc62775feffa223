import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { kubernetesSettings } from '../../src/live/kubernetes/settings.js';
import { watchKubernetes } from '../../src/live/kubernetes/watcher.js';
import { fixtures, root } from '../helpers/corpus.js';
import { until } from '../helpers/until.js';

// Complete answers of an API server (fixtures/kubernetes): sfkit takes from them what records
// need, and nothing that may be secret.

const read = (name: string) => readFileSync(join(fixtures, 'kubernetes', name), 'utf8');
const times = { answer: 20_000, silence: 60_000, retry: 10, maxRetry: 50, watch: 60 };
/** Of the lists and the watch. The list after the error at the end of the watch has no news. */
const expected = JSON.parse(read('events.json'));

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Serves the answers: pods in two pages, then one watch with news, then silent ones. */
async function serve(): Promise<{ url: string; watches: string[] }> {
  const watches: string[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url as string, 'http://api');
    const kind = url.pathname.split('/').at(-1) as string;
    response.writeHead(200, { 'content-type': 'application/json' });
    if (url.searchParams.get('watch') === null) {
      const page = url.searchParams.has('continue') ? '-2' : '';
      const answer = JSON.parse(read(`${kind}${page}.json`));
      // The pod of the second page has ended meanwhile.
      if (watches.length >= 3) delete answer.metadata.continue;
      response.end(JSON.stringify(answer));
      return;
    }
    watches.push(`${kind} ${url.searchParams.get('resourceVersion')}`);
    const isFirst = watches.filter((watch) => watch.startsWith('pods')).length === 1;
    if (kind === 'pods' && isFirst) response.end(read('pods-watch.jsonl'));
    else response.write('\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, watches };
}

type Follow = (url: string, add: (payload: string) => void, warn: (text: string) => void) => void;

const inNode: Follow = (url, add, warn) => {
  const settings = kubernetesSettings({ url, node: 'node7', env: {}, account: '' });
  if (settings === undefined) throw new Error('no settings');
  const watcher = watchKubernetes(settings, add, warn, times);
  ends.push(() => watcher.close());
};

const trial = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_kubernetes_trial'))
  .find((path) => existsSync(path));

const inCpp: Follow = (url, add, warn) => {
  const settings = { url, node: 'node7', account: '', ...times };
  const args = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const run = spawn(trial as string, args, { env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
  createInterface(run.stdout).on('line', (line) => {
    const [kind] = line.split(' ', 1) as [string];
    (kind === 'event' ? add : warn)(line.slice(kind.length + 1));
  });
  ends.push(() => run.stdin.end());
};

const implementations: [string, Follow][] = [['Node', inNode]];
if (trial !== undefined) implementations.push(['C++', inCpp]);

it.each(implementations)('answers of an API server give the events, in %s', async (_, follow) => {
  const { url, watches } = await serve();
  const events: string[] = [];
  const warnings: string[] = [];
  follow(
    url,
    (payload) => events.push(payload),
    (text) => warnings.push(text),
  );
  // The list after the error ends with another watch.
  await until(() => watches.filter((watch) => watch.startsWith('pods')).length === 2);
  await until(() => events.length >= expected.length);
  const found = events.map((payload) => JSON.parse(payload));
  const ordered = (all: { kind: string }[]) =>
    ['Namespace', 'Service', 'Pod'].flatMap((kind) => all.filter((event) => event.kind === kind));
  expect(ordered(found)).toEqual(expected);
  expect(watches.filter((watch) => watch.startsWith('pods'))).toEqual(['pods 48231', 'pods 48231']);
  expect(events.join()).not.toContain('secret');
  expect(warnings).toEqual([]);
});
