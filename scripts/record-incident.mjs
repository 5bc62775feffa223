// Records fixtures/incident.scap again: plays an intrusion on this machine
// (native/test-programs/incident.cpp, which touches nothing outside itself), records it with sfkit
// record, and keeps the shop's activity (native/tools/cut_capture.cpp). Usage: npm run
// record:incident [-- FILE]   (Linux, root, static C and C++ libraries)
//
// Times, process ids and ports are new each time, so update every file that shows them: the goldens
// (SFKIT_UPDATE_GOLDEN=1 npx vitest run test/golden), README.md and docs/check.md.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, release, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { buildTools } from './lib/native.mjs';
import { fail, root, run } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const output = process.argv[2] ?? join(root, 'fixtures', 'incident.scap');
/** First program of the incident, the ancestor of all others, and the host name in it. */
const [firstProgram, playedHost] = ['shop-init', 'shop-host'];

setUp({ tests: false });
const build = buildTools('sfkit_incident', 'cut_capture');

const scratch = mkdtempSync(join(tmpdir(), 'sfkit-incident-'));
try {
  const [recording, cut] = ['recording.scap', 'cut.scap'].map((name) => join(scratch, name));
  await record(recording);
  run(join(build, 'cut_capture'), [recording, cut, firstProgram, playedHost]);
  const bytes = readFileSync(cut);
  refuseFacts(bytes);
  writeFileSync(output, bytes);
  console.log(`${output}: ${bytes.length} bytes`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Runs the incident program while sfkit records, then ends the recording. */
async function record(recording) {
  const arguments_ = [join(root, 'bin', 'run.js'), 'record', '-o', recording, '--snaplen', '80'];
  const recorder = spawn(process.execPath, arguments_, { stdio: ['ignore', 'inherit', 'pipe'] });
  let messages = '';
  const ended = new Promise((resolve) => recorder.on('close', resolve));
  const capturing = new Promise((resolve) =>
    recorder.stderr.setEncoding('utf8').on('data', (text) => {
      messages += text;
      if (messages.includes('sfkit: capturing')) resolve();
    }),
  );
  await Promise.race([capturing, ended]);
  const { status } = spawnSync(join(build, 'sfkit_incident'), { stdio: 'inherit' });
  recorder.kill('SIGINT');
  const exit = await ended;
  process.stderr.write(messages);
  if (status !== 0) fail(`the incident program failed (exit code ${status})`);
  if (exit !== 0) fail(`sfkit record failed (exit code ${exit})`);
}

/** Ends the script if the file contains facts about this machine. */
function refuseFacts(bytes) {
  const groups = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .map((line) => line.split(':').slice(2).join(':'));
  const facts = [
    hostname(),
    release(),
    userInfo().username,
    userInfo().homedir,
    root,
    scratch,
    ...groups,
  ];
  // These are part of the incident, or too short to reveal anything.
  const known = ['root', '/root', 'nobody', playedHost];
  const found = facts.filter(
    (fact) => fact.length > 2 && !known.includes(fact) && bytes.includes(fact),
  );
  if (found.length > 0)
    fail(`the recording contains facts about this machine: ${found.join(', ')}`);
}
