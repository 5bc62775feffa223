import type { Screen } from '../../draw/types.js';
import type { ByteSink } from '../../output/sink.js';
import type { ReportedFinding } from '../finding.js';
import type { RunReport } from '../report.js';

/** Writes findings as they come. end() writes the result of the run and closes the sink. */
export interface FindingWriter {
  finding(finding: ReportedFinding): Promise<void>;
  end(report: RunReport): Promise<void>;
}

export interface WriterOptions {
  /** The terminal that displays the output, if any. */
  screen?: Screen | undefined;
  /** Show every finding instead of examples. */
  all?: boolean | undefined;
}

/** An output format for findings. Each has a file next to this one and an entry in index.ts. */
export interface FindingFormat {
  name: string;
  open(sink: ByteSink, options?: WriterOptions): FindingWriter;
}
