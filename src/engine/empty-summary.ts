import type { Summary } from './session.js';

/** The summary of an empty input that is not a capture. */
export const emptySummary: Summary = {
  format: '',
  compression: 'none',
  events: 0n,
  bytes: 0n,
  records: {},
  tables: {
    startSeconds: 0n,
    containers: 0n,
    processes: 0n,
    files: 0n,
    networkFlows: 0n,
    fileFlows: 0n,
    processFlows: 0n,
  },
  live: { running: false, events: 0n, gaps: [], recordingFailure: '', privilegesFailure: '' },
  containersSeen: 0n,
  containersUndescribed: 0n,
  shown: 0n,
  skipped: [],
  notes: [],
  damage: [],
  firstTime: 0n,
  lastTime: 0n,
};
