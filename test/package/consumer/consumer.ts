// A program that uses the library as docs/library.md and docs/api.md describe it. It is compiled,
// not run.
import {
  type Capture,
  type CaptureRecord,
  type CheckReport,
  check,
  convert,
  EntityTable,
  type Joined,
  openCapture,
  operations,
  type ReportedFinding,
  type RunSummary,
  readRules,
  SfkitError,
  type Statistics,
  type Summary,
  type SysFlowConfig,
  SysFlowDriver,
  SysFlowError,
  type TableName,
  tableColumns,
  toJson,
} from 'sfkit';

const signal: AbortSignal = AbortSignal.timeout(1000);

/** The type distinguishes the records; 64-bit numbers are bigint. */
export async function bytesByProcess(path: string): Promise<Map<string, bigint>> {
  const table = new EntityTable();
  const bytes = new Map<string, bigint>();
  const capture: Capture = openCapture(path, { filter: 'evt.failed = false', signal });
  for await (const record of capture) {
    const joined: Joined | undefined = table.take(record);
    if (joined?.record.type !== 'NetworkFlow') continue;
    const exe: string = joined.process?.exe ?? 'unknown';
    bytes.set(exe, (bytes.get(exe) ?? 0n) + joined.record.numWSendBytes);
  }
  const summary: Summary = capture.summary();
  if (summary.damage.length > 0) console.error(summary.damage[0]?.message);
  return bytes;
}

export function subject(record: CaptureRecord): string | undefined {
  switch (record.type) {
    case 'Ended':
      return record.entity === 'process' ? String(record.oid.hpid) : undefined;
    case 'File':
      return record.path;
    case 'FileEvent':
      return operations(record.opFlags).join();
    default:
      return undefined;
  }
}

export async function rows(path: string, table: TableName): Promise<number> {
  let count = 0;
  for await (const batch of openCapture(path).batches({ table })) count += batch.numRows;
  return tableColumns[table].length > 0 ? count : 0;
}

export async function toParquet(path: string): Promise<bigint> {
  const { events } = await convert(path, { output: 'tables/', format: 'parquet', signal });
  return events;
}

export async function findings(path: string): Promise<ReportedFinding[]> {
  const book = readRules('rules.yaml');
  if (book.diagnostics.some(({ severity }) => severity === 'error'))
    throw new Error(book.diagnostics[0]?.message);
  const run = check(path, { rules: book, evidence: 2, suppress: 'accepted.yaml', signal });
  const found: ReportedFinding[] = [];
  for await (const finding of run) found.push(finding);
  const report: CheckReport = run.report();
  console.log(toJson(report.summary));
  return found;
}

export async function drive(): Promise<RunSummary | undefined> {
  const config: SysFlowConfig = { scapInputPath: 'a.scap', filePath: 'a.sf', enableStats: true };
  const driver = new SysFlowDriver(config);
  driver.on('statistics', ({ tables, records }: Statistics) =>
    console.log(tables.processes, records),
  );
  try {
    return await driver.run({ signal });
  } catch (error) {
    if (error instanceof SysFlowError && error.code === 'EventParsingError') return undefined;
    if (error instanceof SfkitError) console.error(error.code);
    throw error;
  }
}
