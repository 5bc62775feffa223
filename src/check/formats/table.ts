import { drawn } from '../../draw/drawing.js';
import { paintOf } from '../../draw/lines.js';
import type { Cell, DrawnColumn, Screen } from '../../draw/types.js';
import { wrapped } from '../../draw/width.js';
import type { ReportedFinding } from '../finding.js';
import { type FindingGroup, FindingGroups } from '../groups.js';
import { eventText, evidenceTexts, oneLine, placeText, subjectLines, truncate } from '../text.js';
import type { FindingFormat } from './format.js';

/** Maximum examples of each rule, without and with --all. */
const fewExamples = 3;
const manyExamples = 1000;

/** Maximum UTF-16 units of a rule's name in the list of rules. */
const maxName = 255;

const columns: readonly DrawnColumn[] = [
  { name: 'level' },
  { name: 'rule', long: 'wrap', least: 20 },
  { name: 'findings', right: true },
  { name: 'events', right: true, rank: 1 },
];

/** A table of the rules with findings, most severe first, then examples for each rule. */
export const table: FindingFormat = {
  name: 'table',
  open(sink, { screen, all = false } = {}) {
    const groups = new FindingGroups(all ? manyExamples : fewExamples);
    return {
      finding: async (finding) => groups.add(finding),
      async end() {
        const found = groups.sorted();
        await sink.write(
          found.length === 0 ? 'no findings\n' : drawn(columns, found.map(rowOf), screen),
        );
        for (const group of found) await sink.write(`\n${groupText(group, screen)}`);
        await sink.close();
      },
    };
  },
};

function rowOf({ level, rule, findings, events }: FindingGroup): Cell[] {
  return [oneLine(level), truncate(oneLine(rule), maxName), String(findings), String(events)];
}

function groupText(
  { level, rule, location, author, findings, examples }: FindingGroup,
  screen: Screen | undefined,
): string {
  const { strong, faint } = paintOf(screen?.color ?? false);
  const by = author === undefined ? '' : `, by ${author}`;
  const head = [
    ...fitted(`${level}: ${rule}`, '', screen).map(strong),
    ...fitted(`rule of ${placeText(location)}${by}`, '  ', screen).map(faint),
  ];
  const more = findings - examples.length;
  const foot = more > 0 ? [faint(`  and ${more} more (--all, --format jsonl)`)] : [];
  return [...head, ...examples.flatMap((finding) => findingLines(finding, screen)), ...foot]
    .map((line) => `${line}\n`)
    .join('');
}

/** Each line starts with a label, so that no line starts with captured text. */
function findingLines(finding: ReportedFinding, screen: Screen | undefined): string[] {
  const lines = [
    ['time', eventText(finding)],
    ...subjectLines(finding),
    ['output', finding.output],
    ...evidenceTexts(finding).map((text) => ['event', text]),
  ];
  return lines.flatMap(([name, text = ''], index) =>
    fitted(
      `${`${name}:`.padEnd(labelWidth)}${text}`,
      index === 0 ? '- ' : '  ',
      screen,
      '.'.padEnd(labelWidth),
    ),
  );
}

const labelWidth = 12;
/** Maximum UTF-16 units of a text. The formats json and jsonl have the full text. */
const maxText = 4000;

/** One line; on a terminal, wrapped to its width. */
function fitted(text: string, indent: string, screen: Screen | undefined, further = ''): string[] {
  const line = truncate(oneLine(text), maxText);
  if (screen === undefined) return [`${indent}${line}`];
  const [first = '', ...others] = wrapped(
    line,
    Math.max(screen.columns, 40) - indent.length - further.length,
  );
  const under = `${' '.repeat(indent.length)}${further.replace('.', ' ')}`;
  return [`${indent}${first}`, ...others.map((other) => `${under}${other}`)];
}
