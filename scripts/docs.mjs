// Writes the generated parts of docs/: tables and columns (tables.md), fields (filters.md), the
// library's types (api.md), variables (library.md). Usage: node scripts/docs.mjs [--check]   (--check
// only reports outdated pages, with exit code 1)
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiPage } from './lib/api-docs.mjs';
import { root } from './lib/run.mjs';

const readJson = (name) => JSON.parse(readFileSync(join(root, 'native', 'tables', name), 'utf8'));

const readPage = (name) => readFileSync(join(root, 'docs', name), 'utf8');

/** Replaces the text between two marks of a page. */
function between(before, name, text) {
  const begin = `<!-- ${name}: written by scripts/docs.mjs -->`;
  const end = `<!-- end of ${name} -->`;
  return `${before.split(begin)[0]}${begin}\n\n${text}\n${end}${before.split(end)[1]}`;
}

const columnTypes = {
  i32: 'integer (32 bits)',
  i64: 'integer (64 bits)',
  str: 'text',
  bool: 'boolean',
  ops: 'list of text',
  flags: 'list of text',
  ts: 'time (ns)',
};

/** A heading, a sentence and a table of columns, as SQL shows them. */
function columnSection({ name, doc }, columns) {
  const rows = columns.map(({ name, type, unit = '', nullable, since, doc }) => {
    const shown = columnTypes[type] ?? type;
    return `| \`${name}\` | ${shown}${nullable ? '' : ', always'} | ${unit} | ${since} | ${doc} |`;
  });
  const heading = `### ${name}\n\n${doc[0].toUpperCase()}${doc.slice(1)}.`;
  return `${heading}\n\n| column | type | unit | since | meaning |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function recordSections() {
  const { schema, tables, columns, views } = readJson('columns.json');
  const sections = tables.map((table) => {
    const own = columns.filter((column) => column.tables.includes(table.name));
    return columnSection(
      table,
      own.map((column) => ({ ...column, since: column.added?.[table.name] ?? column.since })),
    );
  });
  const more = views.map((view) => {
    const doc =
      view.extends === undefined
        ? view.doc
        : `${view.doc}. It has the columns of \`${view.extends}\`, and these`;
    return columnSection({ ...view, doc }, view.columns);
  });
  return [`The version of these tables is ${schema}.\n`, ...sections, ...more].join('\n');
}

/** Two columns have another stored form. */
function captureSections() {
  const { captureTables } = readJson('columns.json');
  const shown = {
    arguments_json: { name: 'arguments', type: 'map of text to text', doc: 'parameters by name' },
    buffer_base64: { name: 'buffer', type: 'bytes', doc: 'bytes that were read or written' },
  };
  return captureTables
    .map((table) =>
      columnSection(
        { ...table, name: `${table.name}${table.at ? '(moment)' : ''}` },
        table.columns
          .filter(({ hidden }) => !hidden)
          .map((column) => ({ ...column, ...shown[column.name] })),
      ),
    )
    .join('\n');
}

function queryTable() {
  const directory = join(root, 'queries');
  const rows = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      const parameters = [
        ...text.matchAll(
          /^-- {3}(\w+): \{type: (\w+)(?:, default: '?([^,']+(?:,[^,']+)*?)'?)?, description/gm,
        ),
      ];
      const shown = parameters.map(
        ([, name, type, fallback]) => `\`${name}=${fallback ?? type.toUpperCase()}\``,
      );
      return `| \`@${file.slice(0, -4)}\` | ${/^-- title: (.*)$/m.exec(text)?.[1]} | ${shown.join(' ')} |`;
    });
  return `| query | answers | parameters |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function macroTable() {
  const directory = join(root, 'queries', 'macros');
  const rows = readdirSync(directory)
    .sort()
    .map((file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      const [, call, table] = /^CREATE MACRO (\w+\([^)]*\)) AS( TABLE)?/m.exec(text) ?? [];
      const title = /^-- title: (.*)$/m.exec(text)?.[1];
      const example = /^-- example: (.*)$/m.exec(text)?.[1].replaceAll('|', '\\|');
      return `| \`${call}\` | ${table === undefined ? 'value' : 'table'} | ${title} | \`${example}\` |`;
    });
  return `| macro | returns | meaning | example |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function fieldTables() {
  const { types, fields, refused } = readJson('fields.json');
  const rows = fields.map(({ name, type, argument = '', filterOnly, doc }) => {
    const shown = argument === '' ? name : argument.endsWith('?') ? `${name}[?]` : `${name}[]`;
    return `| \`${shown}\` | ${types[type]} | ${doc}${filterOnly ? ' (filters only)' : ''} |`;
  });
  const reasons = refused.map(
    ({ reason, names }) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${reason} |`,
  );
  return [
    '| field | type | meaning |\n| --- | --- | --- |',
    ...rows,
    '',
    '### Fields that cannot be answered\n',
    '| field | why |\n| --- | --- |',
    ...reasons,
    '',
  ].join('\n');
}

const variableKinds = { switch: 'a switch: ', 'only-on': 'a switch that only switches on: ' };

function variableTable() {
  const { settings } = readJson('variables.json');
  const rows = settings.map(
    ({ name, for: users, kind, doc }) =>
      `| \`${name}\` | ${users} | ${variableKinds[kind] ?? ''}${doc} |`,
  );
  return `| variable | for | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function logVariableTable() {
  const rows = readJson('variables.json').log.map(
    ({ flag, doc }) => `| \`GLOG_${flag}\` | ${doc} |`,
  );
  return `| variable | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
}

const pages = {
  'library.md': between(
    between(readPage('library.md'), 'variables', variableTable()),
    'log variables',
    logVariableTable(),
  ),
  'tables.md': between(
    between(readPage('tables.md'), 'record tables', recordSections()),
    'capture tables',
    captureSections(),
  ),
  'queries.md': between(
    between(readPage('queries.md'), 'queries', queryTable()),
    'macros',
    macroTable(),
  ),
  'filters.md': between(readPage('filters.md'), 'fields', fieldTables()),
  'api.md': apiPage(),
};

for (const [name, after] of Object.entries(pages)) {
  const path = join(root, 'docs', name);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (before === after) continue;
  if (process.argv.includes('--check')) {
    console.error(`docs/${name} is outdated: run node scripts/docs.mjs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, after);
  }
}
