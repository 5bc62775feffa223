import { ColumnBatch } from '../engine/batch.js';
import type { RecordOutput } from '../export/outputs.js';
import { stdoutSink } from '../output/sink.js';

/** Lines of text for a person at standard output, from the table sysflow. */
export function lineOutput(
  toLines: (batch: ColumnBatch) => Iterable<string>,
  drainSignal: AbortSignal | undefined,
): RecordOutput {
  const sink = stdoutSink(drainSignal);
  return {
    target: '-',
    async write(batch) {
      if (!(batch instanceof ColumnBatch) || batch.table !== 'sysflow') return;
      const text = [...toLines(batch)].join('');
      if (text !== '') await sink.write(text);
    },
    finish: () => sink.close(),
    abandon: () => sink.discard(),
  };
}
