// The captures that npm run bench measures: each repeats a short one with later times, or is made
// by native/tools/make_load.cpp.

import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { root } from '../scripts/lib/run.mjs';
import { repeatCapture } from './repeat.mjs';

const corpus = join(root, '../shared/corpus');
const fixtures = join(root, 'fixtures');

/** A capture of the corpus, or of this project without the corpus. */
function source(fromCorpus, fixture) {
  const path = join(corpus, fromCorpus);
  return existsSync(path) ? path : join(fixtures, fixture);
}

function repeated(name, what, path) {
  const make = (output, megabytes) => repeatCapture(path, output, megabytes);
  return { name, what, capture: basename(path), make };
}

/**
 * The workloads. `make` writes a capture of about the given size and returns its number of events.
 */
export function workloads(makeLoad) {
  const webserver = source('sf-collector/mpm-event.full.scap', 'webserver.scap');
  return [
    repeated('flows', 'a web server under load', webserver),
    repeated('processes', 'fork and exec', source('sf-collector/setns.scap', 'incident.scap')),
    repeated(
      'files',
      'files made, written and removed',
      source('sf-collector/objectstore.upload.scap', 'live.scap'),
    ),
    repeated(
      'network',
      'a TCP client and its server',
      source('sf-collector/tcp-client-server.scap', 'webserver-2026.scap'),
    ),
    {
      name: 'ignored',
      what: 'futex calls, which make no record',
      capture: 'make_load ignored 1000',
      make: (output, megabytes) => load(makeLoad, 'ignored', 1000, megabytes * 12_000, output),
    },
    {
      name: 'gzip',
      what: 'the flows, compressed',
      capture: `${basename(webserver)}.gz`,
      make: async (output, megabytes) => {
        const plain = `${output}.plain`;
        const events = repeatCapture(webserver, plain, megabytes);
        await pipeline(createReadStream(plain), createGzip(), createWriteStream(output));
        return events;
      },
    },
  ];
}

/** One repeated capture of the caller's choice. */
export const workloadOf = (path) => repeated('input', 'a capture of your choice', path);

/** Writes a capture in which `alive` objects of a kind live; returns its number of events. */
export function load(makeLoad, kind, alive, events, output) {
  const { status, stderr } = spawnSync(makeLoad, [kind, alive, events, output].map(String), {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`make_load failed: ${stderr}`);
  return events;
}

/** Files of Falco rules with 93 rules together, or the rules of this project without the corpus. */
export function ruleFiles() {
  const names = ['falco_rules.yaml', 'falco-incubating_rules.yaml', 'falco-sandbox_rules.yaml'];
  const paths = names.map((name) => join(corpus, 'rules/falco/rules', name));
  return paths.every((path) => existsSync(path)) ? paths : [join(fixtures, 'rules/incident.yaml')];
}
