import type { Screen } from '../../draw/types.js';
import type { ByteSink } from '../../export/sink.js';
import type { Finding } from '../finding.js';
import type { RunReport } from '../report.js';

/** Writes findings as they come, and at the end what became of the run. It closes the sink with that. */
export interface FindingWriter {
  finding(finding: Finding): Promise<void>;
  end(report: RunReport): Promise<void>;
}

/** A form in which findings are written: each has a file beside this one and its place in index.ts. */
export interface FindingFormat {
  name: string;
  /** `screen` is the terminal behind the sink, if there is one. */
  open(sink: ByteSink, screen: Screen | undefined): FindingWriter;
}
