// Sets everything up, converts a capture to Parquet, runs a query, and checks a capture of an
// intrusion. Prints the commands. Usage: node scripts/demo.mjs
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './lib/run.mjs';
import { setUp } from './setup.mjs';

const capture = 'fixtures/webserver.scap';
const output = 'demo-output/';
const question = `select proc_exe, count(*) as connections, sum(flow_rbytes) as received, sum(flow_wbytes) as sent
   from network_flow group by 1 order by sent desc`;

setUp({ tests: false });
sfkit('convert', capture, '-o', output);
sfkit('query', output, question);
sfkitFinds(
  'check',
  'fixtures/incident.scap',
  '--rules',
  'fixtures/rules/incident.yaml',
  '--min-level',
  'error',
);
console.log(
  'Try next: node bin/run.js query demo-output/ "from sysflow limit 10", or node bin/run.js --help',
);

function sfkit(...args) {
  run(args, 0);
}

/** Runs a check that must find something. */
function sfkitFinds(...args) {
  run(args, 4);
}

function run(args, expected) {
  const shown = args.map((arg) => (/[\s"]/.test(arg) ? `"${arg}"` : arg)).join(' ');
  console.log(`$ sfkit ${shown}`);
  const { status } = spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== expected) process.exit(status || 1);
  console.log();
}
