import type { ReportedFinding } from '../finding.js';
import { codeQuality } from '../severity.js';
import { cut, jsonOf, oneLine } from '../text.js';
import type { FindingFormat } from './format.js';

const mostText = 1024;
const mostName = 255;

/** GitLab's Code Quality report: a list with an object for each finding that counts. */
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
  const by = author === undefined ? '' : ` (rule by ${oneLine(author)})`;
  return {
    description: cut(`${oneLine(rule)}: ${oneLine(output)}${by}`, mostText),
    check_name: cut(oneLine(rule), mostName),
    fingerprint: id,
    severity: codeQuality(level),
    // The rule: it is what the repository has of a finding.
    location: { path: location.file.replace(/^\.\//, ''), lines: { begin: location.line } },
  };
}
