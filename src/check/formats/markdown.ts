import type { ReportedFinding } from '../finding.js';
import { type FindingGroup, FindingGroups } from '../groups.js';
import { rankOf } from '../levels.js';
import { plural, remarksOf, shortRemarks } from '../remarks.js';
import type { RunReport } from '../report.js';
import { captureText, cut, eventText, evidenceTexts, nearest, oneLine, placeText, subjectLines } from '../text.js';
import type { FindingFormat } from './format.js';

// A summary of the job for people. GitHub shows none that has 1 MiB or more. Captured text stands in blocks of code, each
// line after a word of ours; everything else has its markup escaped.

const mostBytes = 900_000;
const mostTableBytes = 300_000;
const mostExamples = 5;
const mostText = 1000;
const mostEvidence = 40;
const mostRemarks = 20;

export const markdown: FindingFormat = {
  name: 'markdown',
  open(sink) {
    const groups = new FindingGroups(mostExamples);
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
  const page = new Page(mostBytes);
  page.add(`## sfkit check: ${headline(groups)}\n\n${rulesLine(report, suppressed)}\n`);
  page.add(remarksText(report));
  if (groups.length === 0) return page.text;
  page.add('\n| level | rule | findings | events | stands in |\n| --- | --- | ---: | ---: | --- |\n');
  const missing = page.addAll(groups, rowText, mostTableBytes);
  if (missing > 0) page.add(`\n${plural(missing, 'more rule')} found something.\n`);
  const left = page.addAll(groups, groupText, mostBytes);
  if (left > 0) page.add(`\nThere is no room for what ${plural(left, 'more rule')} found.\n`);
  return page.text;
}

/** Text of at most so many bytes; the words at the end always have room. */
class Page {
  text = '';
  #bytes = 0;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(part: string): void {
    this.text += part;
    this.#bytes += Buffer.byteLength(part);
  }

  /** Adds what is said of each group until so many bytes are there; how many groups are left. */
  addAll(groups: readonly FindingGroup[], text: (group: FindingGroup) => string, most: number): number {
    for (const [index, group] of groups.entries()) {
      const part = text(group);
      if (this.#bytes + Buffer.byteLength(part) > Math.min(most, this.#most)) return groups.length - index;
      this.add(part);
    }
    return 0;
  }
}

function headline(groups: readonly FindingGroup[]): string {
  const total = groups.reduce((sum, { findings }) => sum + findings, 0);
  if (total === 0) return 'no findings';
  const byLevel = new Map<string, number>();
  for (const { level, findings } of groups) byLevel.set(level, (byLevel.get(level) ?? 0) + findings);
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
  const remarks = shortRemarks(remarksOf(report), mostRemarks);
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
  const { start, end } = nearest(finding, mostEvidence);
  const lines = [
    ['time', eventText(finding)],
    ...subjectLines(finding),
    ['output', finding.output],
    ...evidenceTexts(finding)
      .slice(start, end)
      .map((text) => ['event', text]),
  ].map(([name, text]) => cut(oneLine(`${name}: ${text}`), mostText));
  return fenced(lines);
}

/** A block of code whose fence is longer than every one in it. */
function fenced(lines: readonly string[]): string {
  const text = lines.join('\n');
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `\n${fence}text\n${text}\n${fence}\n`;
}

/** What stands for itself wherever it is: letters, digits and a few signs. */
const marks = /[^\p{L}\p{N}\p{M} ,;?%/.-]/gu;

/** Services take @name and #1 for people and issues, even where they are escaped, but not in code. */
function code(text: string): string {
  return `<code>${escaped(text)}</code>`;
}

/** One line in which nothing is markup, a link, a mention or the end of a cell. */
function escaped(text: string): string {
  return (
    cut(oneLine(text), mostText)
      .replace(marks, (sign) => `&#${sign.codePointAt(0)};`)
      // Names of hosts and addresses of mail become links without any marks.
      .replace(/&#64;/g, '$&<!-- -->')
      .replace(/\bwww\./gi, (word) => `${word.slice(0, -1)}&#46;`)
  );
}
