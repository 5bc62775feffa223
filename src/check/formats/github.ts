import type { RuleLocation } from '../finding.js';
import { LeadingFindings } from '../groups.js';
import { type Remark, remarksOf, shortRemarks } from '../remarks.js';
import type { RunReport } from '../report.js';
import { sarifLevel } from '../severity.js';
import { cut, oneLine, subjectLines } from '../text.js';
import type { FindingFormat } from './format.js';

// Workflow commands of GitHub Actions. Of a step it shows 10 errors and 10 warnings, and says nothing about the rest, so
// that the last line has to. What is less than a warning counts among these.

const mostErrors = 10;
const mostWarnings = 10;
/** Lines about what the run could not see. */
const mostRemarks = 3;
const mostText = 1000;
/** Of these for what the rule says, so that there is room for the author, whom licences want named. */
const mostOutput = 600;
const mostName = 200;

export const github: FindingFormat = {
  name: 'github',
  open(sink) {
    const errors = new LeadingFindings(mostErrors);
    const others = new LeadingFindings(mostWarnings);
    return {
      async finding(finding) {
        if (finding.suppression !== undefined) return;
        (sarifLevel(finding.level) === 'error' ? errors : others).add(finding);
      },
      async end(report) {
        const remarks = remarkLines(report);
        const shownErrors = errors.items();
        const room = mostWarnings - remarks.length;
        const isCut = errors.total > shownErrors.length || others.total > room;
        const shownOthers = others.items().slice(0, isCut ? room - 1 : room);
        const lines = [...shownErrors, ...shownOthers].map((finding) => {
          const { rule, level, location, output, author } = finding;
          const by = author === undefined ? [] : [`rule by ${author}`];
          const facts = subjectLines(finding).map(([name, text]) => `${name} ${text}`);
          const text = [cut(oneLine(output || rule), mostOutput), ...by, ...facts].join('; ');
          return command(commandOf(level), `${level}: ${rule}`, text, location);
        });
        const more = errors.total + others.total - shownErrors.length - shownOthers.length;
        const last = isCut
          ? [command('warning', 'sfkit check', moreText(more, errors.total - shownErrors.length))]
          : [];
        await sink.write([...lines, ...remarks, ...last].join(''));
        await sink.close();
      },
    };
  },
};

type Command = 'error' | 'warning' | 'notice';

function commandOf(level: string): Command {
  const shown = sarifLevel(level);
  return shown === 'note' ? 'notice' : shown;
}

function moreText(more: number, errors: number): string {
  return `${more} more findings are not shown here${errors > 0 ? `, ${errors} of them errors` : ''}`;
}

/** One line for each kind of remark, the most important kinds. */
function remarkLines(report: RunReport): string[] {
  const important = remarksOf(report).filter(({ level }) => level !== 'note');
  return shortRemarks(important, 1)
    .slice(0, mostRemarks)
    .map(({ kind }) => kindLine(important.filter((remark) => remark.kind === kind)));
}

function kindLine(remarks: readonly Remark[]): string {
  const [first, ...others] = remarks as [Remark, ...Remark[]];
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return command('warning', 'sfkit check', `${cut(first.text, mostText)}${more}`);
}

/** A command is a line of its own; what it holds is escaped, so that none begins another one. */
function command(name: Command, title: string, text: string, location?: RuleLocation): string {
  const place =
    location !== undefined && isInRepository(location.file) && oneLine(location.file) === location.file
      ? [`file=${property(location.file)}`, `line=${location.line}`]
      : [];
  const properties = [...place, `title=${property(cut(oneLine(title), mostName))}`];
  return `::${name} ${properties.join(',')}::${data(cut(oneLine(text), mostText))}\n`;
}

function isInRepository(file: string): boolean {
  return !file.startsWith('/') && !file.split('/').includes('..');
}

function data(text: string): string {
  return text.replace(/[%\r\n]/g, encodeURIComponent);
}

function property(text: string): string {
  return text.replace(/[%\r\n:,]/g, encodeURIComponent);
}
