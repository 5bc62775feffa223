import { jsonOf } from '../text.js';
import type { FindingFormat } from './format.js';

/** An object for each finding, a line each. */
export const jsonl: FindingFormat = {
  name: 'jsonl',
  open: (sink) => ({
    finding: (finding) => sink.write(`${jsonOf(finding)}\n`),
    end: () => sink.close(),
  }),
};
