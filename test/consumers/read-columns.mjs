// Prints the columns of a file as one JSON object: times in nanoseconds, integers with all their
// digits. Usage: node read-columns.mjs hyparquet|apache-arrow FILE
import { readFileSync } from 'node:fs';

const [consumer, path] = process.argv.slice(2);
const bytes = readFileSync(path);
const columns = consumer === 'hyparquet' ? await hyparquetColumns() : await arrowColumns();
process.stdout.write(
  `{${[...columns].map(([name, values]) => `${JSON.stringify(name)}:${json(values)}`).join()}}`,
);

async function hyparquetColumns() {
  const { parquetMetadata, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  // The library's dates have milliseconds only.
  const parsers = {
    timestampFromNanoseconds: (nanoseconds) => nanoseconds,
    timestampFromMicroseconds: (microseconds) => microseconds * 1000n,
  };
  const names = parquetMetadata(file)
    .schema.filter(
      ({ name }, index, all) => index > 0 && !(name === 'list' || all[index - 1]?.name === 'list'),
    )
    .map(({ name }) => name);
  const rows = await parquetReadObjects({ file, compressors, parsers });
  return names.map((name) => [name, rows.map((row) => row[name] ?? null)]);
}

async function arrowColumns() {
  const { DataType, tableFromIPC } = await import('apache-arrow');
  const table = tableFromIPC(bytes);
  return table.schema.fields.map((field) => {
    const column = table.getChild(field.name);
    if (!DataType.isTimestamp(field.type)) {
      return [
        field.name,
        Array.from(column, (value) => (DataType.isList(field.type) && value ? [...value] : value)),
      ];
    }
    // The library's own values of times are milliseconds.
    const times = column.data.flatMap((data) =>
      Array.from(data.values, (value, row) => (data.getValid(row) ? value : null)),
    );
    return [field.name, times];
  });
}

function json(value) {
  if (typeof value === 'bigint') return value.toString();
  return Array.isArray(value) ? `[${value.map(json).join()}]` : JSON.stringify(value);
}
