import { jsonOf } from '../text.js';
import type { FindingFormat } from './format.js';

/** One JSON object per line for each finding. */
export const jsonl: FindingFormat = {
  name: 'jsonl',
  open: (sink) => ({
    finding: (finding) => sink.write(`${jsonOf(finding)}\n`),
    end: () => sink.close(),
  }),
};
