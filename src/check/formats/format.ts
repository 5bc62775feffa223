import type { Screen } from '../../draw/types.js';
import type { ByteSink } from '../../output/sink.js';
import type { ReportedFinding } from '../finding.js';
import type { RunReport } from '../report.js';

/** Writes findings as they come, and at the end what became of the run. It closes the sink with that. */
export interface FindingWriter {
  finding(finding: ReportedFinding): Promise<void>;
  end(report: RunReport): Promise<void>;
}

export interface WriterOptions {
  /** The terminal that shows what is written, if there is one. */
  screen?: Screen | undefined;
  /** Each finding is wanted, not examples. */
  all?: boolean | undefined;
}

/** A form in which findings are written: each has a file beside this one and its place in index.ts. */
export interface FindingFormat {
  name: string;
  open(sink: ByteSink, options?: WriterOptions): FindingWriter;
}
