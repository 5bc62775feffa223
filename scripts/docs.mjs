// Writes the list of tables and columns into docs/formats.md, from native/tables/columns.json.
// Usage: node scripts/docs.mjs [--check]   (--check only says whether it is current, with exit code 1 if not)
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/run.mjs';

const path = join(root, 'docs', 'formats.md');
const begin = '<!-- columns: written by scripts/docs.mjs -->';
const end = '<!-- end of columns -->';

const types = {
  i32: 'integer (32 bits)',
  i64: 'integer (64 bits)',
  str: 'text',
  bool: 'boolean',
  ops: 'list of text',
  ts: 'time (ns, UTC)',
};

const { tables, columns } = JSON.parse(readFileSync(join(root, 'native', 'tables', 'columns.json'), 'utf8'));
const sections = tables.map(({ name, doc }) => {
  const rows = columns
    .filter((column) => column.tables.includes(name))
    .map(
      (column) => `| \`${column.name}\` | ${types[column.type]}${column.nullable ? '' : ', always'} | ${column.doc} |`,
    );
  const heading = `### ${name}\n\n${doc[0].toUpperCase()}${doc.slice(1)}.`;
  return `${heading}\n\n| column | type | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
});

const before = readFileSync(path, 'utf8');
const after = `${before.split(begin)[0]}${begin}\n\n${sections.join('\n')}\n${end}${before.split(end)[1]}`;
if (process.argv.includes('--check')) {
  if (before !== after) {
    console.error('docs/formats.md is not current: run node scripts/docs.mjs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, after);
}
