import type { ReportedFinding } from '../finding.js';
import { type FindingGroup, FindingGroups } from '../groups.js';
import { rankOf } from '../levels.js';
import { limitRemarks, plural, remarksOf } from '../remarks.js';
import type { RunReport } from '../report.js';
import {
  captureText,
  eventText,
  evidenceTexts,
  nearestEvents,
  oneLine,
  placeText,
  subjectLines,
  truncate,
} from '../text.js';
import type { FindingFormat } from './format.js';

// A job summary for people. GitHub shows no summary of 1 MiB or more. Captured text is put into
// code blocks, each line after a label; markup in everything else is escaped.

const maxBytes = 900_000;
const maxTableBytes = 300_000;
const maxExamples = 5;
const maxText = 1000;
const maxEvidence = 40;
const maxRemarks = 20;

export const markdown: FindingFormat = {
  name: 'markdown',
  open(sink) {
    const groups = new FindingGroups(maxExamples);
    let suppressed = 0;
    return {
      async finding(finding) {
        groups.add(finding);
        if (finding.suppression !== undefined) suppressed += 1;
      },
      async end(report) {
        await sink.write(pageText(report, groups.sorted(), suppressed));
        await sink.close();
      },
    };
  },
};

function pageText(report: RunReport, groups: readonly FindingGroup[], suppressed: number): string {
  const page = new Page(maxBytes);
  page.add(`## sfkit check: ${headline(groups)}\n\n${rulesLine(report, suppressed)}\n`);
  page.add(remarksText(report));
  if (groups.length === 0) return page.text;
  page.add(
    '\n| level | rule | findings | events | location |\n| --- | --- | ---: | ---: | --- |\n',
  );
  const missing = page.addAll(groups, rowText, maxTableBytes);
  if (missing > 0) page.add(`\n${plural(missing, 'more rule')} with findings.\n`);
  const left = page.addAll(groups, groupText, maxBytes);
  if (left > 0) page.add(`\nThe findings of ${plural(left, 'more rule')} do not fit here.\n`);
  return page.text;
}

/** Collects text up to a maximum size. add() ignores the limit, so closing remarks always fit. */
class Page {
  text = '';
  #bytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: string): void {
    this.text += part;
    this.#bytes += Buffer.byteLength(part);
  }

  /**
   * Adds the text of each group until the page has `maxBytes` bytes. Returns the number of groups
   * that did not fit.
   */
  addAll(
    groups: readonly FindingGroup[],
    text: (group: FindingGroup) => string,
    maxBytes: number,
  ): number {
    for (const [index, group] of groups.entries()) {
      const part = text(group);
      if (this.#bytes + Buffer.byteLength(part) > Math.min(maxBytes, this.#maxBytes))
        return groups.length - index;
      this.add(part);
    }
    return 0;
  }
}

function headline(groups: readonly FindingGroup[]): string {
  const total = groups.reduce((sum, { findings }) => sum + findings, 0);
  if (total === 0) return 'no findings';
  const byLevel = new Map<string, number>();
  for (const { level, findings } of groups)
    byLevel.set(level, (byLevel.get(level) ?? 0) + findings);
  const parts = [...byLevel]
    .sort(([one], [other]) => rankOf(one) - rankOf(other))
    .map(([level, count]) => `${count} ${level}`);
  return `${plural(total, 'finding')} (${escaped(parts.join(', '))})`;
}

function rulesLine({ rules, captures }: RunReport, suppressed: number): string {
  const of = (state: string) => rules.filter((rule) => rule.state === state).length;
  const names = captures.map(({ capture }) => code(captureText(capture)));
  const shown = names.length > 3 ? `${plural(names.length, 'capture')}` : names.join(', ');
  const counts = `${of('matched')} matched, ${of('unmatched')} did not, ${of('unevaluated')} could not be evaluated`;
  return `${plural(rules.length, 'rule')} on ${shown}: ${counts}${suppressed > 0 ? `; ${plural(suppressed, 'finding')} suppressed` : ''}.`;
}

function remarksText(report: RunReport): string {
  const remarks = limitRemarks(remarksOf(report), maxRemarks);
  return remarks.length === 0 ? '' : `\n${remarks.map(({ text }) => `- ${code(text)}\n`).join('')}`;
}

function rowText({ level, rule, findings, events, location, author }: FindingGroup): string {
  const by = author === undefined ? '' : ` by ${author}`;
  return `| ${escaped(level)} | ${code(rule)} | ${findings} | ${events} | ${code(`${placeText(location)}${by}`)} |\n`;
}

function groupText({ level, rule, findings, examples }: FindingGroup): string {
  const more = findings - examples.length;
  const foot = more > 0 ? `\nand ${more} more.\n` : '';
  return `\n### ${escaped(level)}: ${code(rule)}\n${examples.map(exampleText).join('')}${foot}`;
}

function exampleText(finding: ReportedFinding): string {
  const { start, end } = nearestEvents(finding, maxEvidence);
  const lines = [
    ['time', eventText(finding)],
    ...subjectLines(finding),
    ['output', finding.output],
    ...evidenceTexts(finding)
      .slice(start, end)
      .map((text) => ['event', text]),
  ].map(([name, text]) => truncate(oneLine(`${name}: ${text}`), maxText));
  return fenced(lines);
}

/** A code block whose fence is longer than any run of backticks in the text. */
function fenced(lines: readonly string[]): string {
  const text = lines.join('\n');
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `\n${fence}text\n${text}\n${fence}\n`;
}

/** Characters that may be markup: all except letters, digits and a few signs. */
const marks = /[^\p{L}\p{N}\p{M} ,;?%/.-]/gu;

/** Services link @name and #1 to people and issues even if they are escaped, but not in code. */
function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

/** The text as one line that contains no markup, link, mention or cell separator. */
function escaped(text: string): string {
  return (
    truncate(oneLine(text), maxText)
      .replace(marks, (sign) => `&#${sign.codePointAt(0)};`)
      // Host names and mail addresses become links without any markup.
      .replace(/&#64;/g, '$&<!-- -->')
      .replace(/\bwww\./gi, (word) => `${word.slice(0, -1)}&#46;`)
  );
}
