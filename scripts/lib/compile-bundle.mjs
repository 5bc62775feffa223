// Writes the compiled code of V8 for each file of a bundle: of what files run when they are loaded,
// and of what a query runs. scripts/bundle.mjs starts it as a process of its own.
//
// Usage: node scripts/lib/compile-bundle.mjs DIRECTORY
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run.mjs';

const directory = process.argv[2];
const scratch = mkdtempSync(join(tmpdir(), 'sfkit-compile-'));
process.on('exit', () => rmSync(scratch, { recursive: true }));

const inDist = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
const { loadBundled, compiledCode } = await inDist('cli/load-bundle.js');
const { main } = await inDist('cli/main.js');
const { openDatabase } = await inDist('duckdb/database.js');

const table = join(scratch, 'process.parquet');
const { connection, close } = await openDatabase();
await connection.run(`COPY (SELECT 1::BIGINT AS pid) TO '${table}' (FORMAT parquet)`);
close();
const statement = 'SELECT count(*) FROM process';
const query = ['query', table, statement, '-o', join(scratch, 'answer'), '--no-cache'];
await main(query, pathToFileURL(join(root, 'bin', 'run.js')).href);
if (process.exitCode) process.exit();

for (const file of readdirSync(directory)) if (file.endsWith('.cjs')) loadBundled(file);
for (const [file, code] of compiledCode()) writeFileSync(join(directory, `${file}.code`), code);
process.exit();
