// Makes fixtures/incident.scap anew: plays an intrusion on this machine (native/test-programs/incident.cpp, which touches
// nothing outside of itself), records it with sfkit record, and keeps what the shop did (native/tools/cut_capture.cpp).
// Usage: npm run record:incident [-- FILE]   (Linux, root, static C and C++ libraries)
//
// Times, numbers of processes and ports are new each time, so update what shows them: SFKIT_UPDATE_GOLDEN=1 npx vitest run
// test/golden, README.md, docs/check.md.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, release, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fail, root, run } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const output = process.argv[2] ?? join(root, 'fixtures', 'incident.scap');
/** The first program of the play, below which all others are, and the name that its host has there. */
const [firstProgram, playedHost] = ['shop-init', 'shop-host'];

setUp({ tests: false });
const build = join(root, 'native', 'build-tools');
run('cmake', [
  '-S',
  join(root, 'native'),
  '-B',
  build,
  '-G',
  'Ninja',
  '-DCMAKE_BUILD_TYPE=Release',
  '-DSFKIT_TOOLS=ON',
  '-DSFKIT_ADDON=OFF',
]);
run('cmake', ['--build', build, '--target', 'sfkit_incident', 'cut_capture', '-j', '2']);

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

/** Plays while sfkit records, and ends the recording after the play. */
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
  if (status !== 0) fail(`the play failed (exit code ${status})`);
  if (exit !== 0) fail(`sfkit record failed (exit code ${exit})`);
}

/** Ends the script if the file says something of this machine. */
function refuseFacts(bytes) {
  const groups = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .map((line) => line.split(':').slice(2).join(':'));
  const facts = [hostname(), release(), userInfo().username, userInfo().homedir, root, scratch, ...groups];
  // These are part of the play, or too short to say anything.
  const known = ['root', '/root', 'nobody', playedHost];
  const found = facts.filter((fact) => fact.length > 2 && !known.includes(fact) && bytes.includes(fact));
  if (found.length > 0) fail(`the recording holds facts of this machine: ${found.join(', ')}`);
}
