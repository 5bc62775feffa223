import { Drawing } from '../../draw/drawing.js';
import type { Cell, DrawnColumn } from '../../draw/types.js';
import { isoTime } from '../../export/values.js';
import type { Finding } from '../finding.js';
import type { FindingFormat } from './format.js';

const columns: readonly DrawnColumn[] = [
  { name: 'time', long: 'time' },
  { name: 'level' },
  { name: 'rule', long: 'wrap', least: 16 },
  { name: 'count', right: true },
  { name: 'pid', right: true, rank: 3 },
  { name: 'process', rank: 2 },
  { name: 'container', rank: 1 },
  { name: 'output', long: 'wrap', least: 30 },
  { name: 'stands in', rank: 4 },
];

/** A row for each finding. */
export const table: FindingFormat = {
  name: 'table',
  open(sink, screen) {
    const drawing = new Drawing(columns, { screen });
    const draw = async (text: string) => {
      if (text !== '') await sink.write(text);
    };
    return {
      finding: (finding) => draw(drawing.add(rowOf(finding))),
      async end() {
        await draw(drawing.end());
        await sink.close();
      },
    };
  },
};

function rowOf(finding: Finding): Cell[] {
  const { process, container, location } = finding;
  return [
    isoTime(BigInt(finding.ts)),
    finding.level,
    finding.rule,
    String(finding.count),
    finding.pid === undefined ? null : String(finding.pid),
    process?.name ?? null,
    container?.name ?? container?.id ?? null,
    finding.output,
    `${location.file}:${location.line}`,
  ];
}
