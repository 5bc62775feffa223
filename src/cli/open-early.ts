/** Commands that answer with SQL. */
const ofSql: ReadonlySet<string | undefined> = new Set([
  'lsof',
  'netstat',
  'ps',
  'query',
  'timeline',
  'top',
  'tree',
]);

const withoutSql: ReadonlySet<string> = new Set(['--help', '-h', '--list', '-l']);

/**
 * Starts to open DuckDB if these arguments need it: its threads read the library from the disk
 * while the modules of the command line are loaded. Errors are for who uses the database.
 */
export async function openDuckDBEarly(args: readonly string[]): Promise<void> {
  if (!ofSql.has(args[0]) || args.some((arg) => withoutSql.has(arg))) return;
  try {
    const { sealedConnection } = await import('../duckdb/database.js');
    sealedConnection().catch(() => {});
  } catch {
    // The command imports it again.
  }
}
