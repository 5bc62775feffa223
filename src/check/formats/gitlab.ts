import type { ReportedFinding } from '../finding.js';
import { codeQuality } from '../severity.js';
import { jsonOf, oneLine, truncate } from '../text.js';
import type { FindingFormat } from './format.js';

const maxText = 1024;
const maxName = 255;

/** GitLab's Code Quality report: a list with an object for each unsuppressed finding. */
export const gitlab: FindingFormat = {
  name: 'gitlab',
  open(sink) {
    let isFirst = true;
    return {
      async finding(finding) {
        if (finding.suppression !== undefined) return;
        await sink.write(`${isFirst ? '[' : ','}\n${jsonOf(issueOf(finding))}`);
        isFirst = false;
      },
      async end() {
        await sink.write(isFirst ? '[]\n' : '\n]\n');
        await sink.close();
      },
    };
  },
};

function issueOf({ id, rule, level, output, location, author }: ReportedFinding) {
  const by = author === undefined ? '' : ` (rule by ${truncate(oneLine(author), maxName)})`;
  return {
    description: `${truncate(`${oneLine(rule)}: ${oneLine(output)}`, maxText - by.length)}${by}`,
    check_name: truncate(oneLine(rule), maxName),
    fingerprint: id,
    severity: codeQuality(level),
    // The only part of a finding that is in the repository is its rule.
    location: { path: location.file.replace(/^\.\//, ''), lines: { begin: location.line } },
  };
}
