import type { RuleLocation } from '../finding.js';
import { LeadingFindings } from '../groups.js';
import { limitRemarks, type Remark, remarksOf } from '../remarks.js';
import type { RunReport } from '../report.js';
import { sarifLevel } from '../severity.js';
import { oneLine, subjectLines, truncate } from '../text.js';
import type { FindingFormat } from './format.js';

// Workflow commands of GitHub Actions. It shows 10 errors and 10 warnings of a step and silently
// drops the rest, so the last line reports how many are missing. Notices count as warnings here.

const maxErrors = 10;
const maxWarnings = 10;
/** Maximum lines for remarks. */
const maxRemarks = 3;
const maxText = 1000;
/** Maximum for the rule's output, which leaves room for the author that licenses require. */
const maxOutput = 600;
const maxName = 200;

export const github: FindingFormat = {
  name: 'github',
  open(sink) {
    const errors = new LeadingFindings(maxErrors);
    const others = new LeadingFindings(maxWarnings);
    return {
      async finding(finding) {
        if (finding.suppression !== undefined) return;
        (sarifLevel(finding.level) === 'error' ? errors : others).add(finding);
      },
      async end(report) {
        const remarks = remarkLines(report);
        const shownErrors = errors.items();
        const room = maxWarnings - remarks.length;
        const isCut = errors.total > shownErrors.length || others.total > room;
        const shownOthers = others.items().slice(0, isCut ? room - 1 : room);
        const lines = [...shownErrors, ...shownOthers].map((finding) => {
          const { rule, level, location, output, author } = finding;
          const by = author === undefined ? [] : [`rule by ${author}`];
          const facts = subjectLines(finding).map(([name, text]) => `${name} ${text}`);
          const text = [truncate(oneLine(output || rule), maxOutput), ...by, ...facts].join('; ');
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

/** One line for each of the most important kinds of remarks. */
function remarkLines(report: RunReport): string[] {
  const important = remarksOf(report).filter(({ level }) => level !== 'note');
  return limitRemarks(important, 1)
    .slice(0, maxRemarks)
    .map(({ kind }) => kindLine(important.filter((remark) => remark.kind === kind)));
}

function kindLine(remarks: readonly Remark[]): string {
  const [first, ...others] = remarks as [Remark, ...Remark[]];
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return command('warning', 'sfkit check', `${truncate(first.text, maxText)}${more}`);
}

/** A command on its own line. Escaping keeps its contents from starting another command. */
function command(name: Command, title: string, text: string, location?: RuleLocation): string {
  const place =
    location !== undefined &&
    isInRepository(location.file) &&
    oneLine(location.file) === location.file
      ? [`file=${property(location.file)}`, `line=${location.line}`]
      : [];
  const properties = [...place, `title=${property(truncate(oneLine(title), maxName))}`];
  return `::${name} ${properties.join(',')}::${data(truncate(oneLine(text), maxText))}\n`;
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
