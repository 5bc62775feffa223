import type { ReportedFinding, RuleOutcome } from '../finding.js';
import { type FindingGroup, FindingGroups } from '../groups.js';
import { limitRemarks, plural, remarksOf } from '../remarks.js';
import type { RunReport } from '../report.js';
import {
  captureText,
  eventText,
  oneLine,
  placeText,
  subjectLines,
  truncate,
  UniqueNames,
} from '../text.js';
import type { FindingFormat } from './format.js';

// JUnit XML for CI services: a test case for each rule, so that the report also counts rules
// without findings. A rule with findings fails; a rule that could not be evaluated is skipped.

const maxExamples = 20;
const maxText = 1000;
const maxName = 255;
const maxReason = 300;
/**
 * Maximum file size: GitLab accepts 30 MB. Every rule has its test case; details are included while
 * there is room.
 */
const maxBytes = 28_000_000;
const maxRemarks = 100;

export const junit: FindingFormat = {
  name: 'junit',
  open(sink) {
    const groups = new FindingGroups(maxExamples);
    return {
      finding: async (finding) => groups.add(finding),
      async end(report) {
        for (const part of document(report, groups)) await sink.write(part);
        await sink.close();
      },
    };
  },
};

function* document(report: RunReport, groups: FindingGroups): Generator<string> {
  const { rules, failed, captures } = report;
  const names = new UniqueNames();
  const failures = rules.filter((outcome) => (groupOf(outcome, groups)?.findings ?? 0) > 0).length;
  const skipped = rules.filter(({ state }) => state === 'unevaluated').length;
  const counts = attributes({
    tests: String(rules.length + failed.length),
    failures: String(failures),
    errors: String(failed.length),
    skipped: String(skipped),
  });
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${counts}>\n<testsuite name="sfkit check"${counts}>\n`;
  yield element(
    'properties',
    '',
    captures.map(({ capture }) => property('capture', captureText(capture))).join(''),
  );
  const cases = rules.map((outcome) => caseOf(outcome, groupOf(outcome, groups), names));
  let room =
    maxBytes - cases.reduce((bytes, { head, short }) => bytes + Buffer.byteLength(head + short), 0);
  for (const { head, short, long } of cases) {
    const whole = room > 0 ? long() : short;
    room -= Buffer.byteLength(whole);
    yield element('testcase', head, room < 0 ? short : whole);
  }
  for (const { capture, message } of failed) {
    const name = attributes({
      classname: 'sfkit.captures',
      name: unique(shortened(capture, maxName), names),
    });
    yield element(
      'testcase',
      name,
      element('error', attributes({ message: shortened(message) }), ''),
    );
  }
  const remarks = limitRemarks(remarksOf(report), maxRemarks);
  if (remarks.length > 0)
    yield element(
      'system-err',
      '',
      xml(remarks.map(({ text }) => `${shortened(text)}\n`).join('')),
    );
  yield '</testsuite>\n</testsuites>\n';
}

function groupOf({ rule }: RuleOutcome, groups: FindingGroups): FindingGroup | undefined {
  return groups.of({ ...rule, rule: rule.name });
}

/** A test case: its attributes, and its body in a short and a long version. */
function caseOf(outcome: RuleOutcome, group: FindingGroup | undefined, names: UniqueNames) {
  const { rule, state, reason } = outcome;
  const title = shortened(rule.name.trim(), maxName) || 'rule without a name';
  const name = unique(title, names, shortened(placeText(rule.location), maxName));
  const head = attributes({
    classname: `sfkit.${rule.language}`,
    name,
    file: shortened(rule.location.file, maxName),
  });
  const { findings = 0, suppressed = 0 } = group ?? {};
  const foot =
    suppressed > 0
      ? element('system-out', '', `${plural(suppressed, 'suppressed finding')}\n`)
      : '';
  if (group !== undefined && findings > 0)
    return {
      head,
      short: shortFailure(group) + foot,
      long: () => failureText(group, reason) + foot,
    };
  const whole =
    state === 'unevaluated'
      ? element('skipped', attributes({ message: shortened(reason ?? '', maxReason) }), '')
      : '';
  return { head, short: whole + foot, long: () => whole + foot };
}

function shortFailure({ findings, events, level }: FindingGroup): string {
  const message = `${plural(findings, 'finding')}, ${plural(events, 'event')}`;
  return element('failure', attributes({ message, type: level }), '');
}

function failureText(group: FindingGroup, reason: string | undefined): string {
  const { level, findings, events, examples, location, author } = group;
  const message = `${plural(findings, 'finding')}, ${plural(events, 'event')}: ${examples[0]?.output ?? ''}`;
  const more = findings - examples.length;
  const lines = [
    `rule of ${placeText(location)}${author === undefined ? '' : ` by ${author}`}`,
    ...(reason === undefined ? [] : [`evaluated in part: ${reason}`]),
    ...examples.flatMap(exampleLines),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  const text = lines.map((line) => `${shortened(line)}\n`).join('');
  return element('failure', attributes({ message: shortened(message), type: level }), xml(text));
}

function exampleLines(finding: ReportedFinding): string[] {
  return [
    `- ${eventText(finding)}`,
    ...[...subjectLines(finding), ['output', finding.output]].map(
      ([name, text]) => `  ${name}: ${text}`,
    ),
  ];
}

/** Readers drop a second test case with the same name. */
function unique(name: string, names: UniqueNames, place = ''): string {
  return names.take(names.has(name) && place !== '' ? `${name} (${place})` : name, 2 * maxName + 3);
}

function shortened(text: string, maxLength = maxText): string {
  return truncate(oneLine(text), maxLength);
}

function property(name: string, value: string): string {
  return element('property', attributes({ name, value: shortened(value) }), '');
}

function element(name: string, head: string, body: string): string {
  return body === '' ? `<${name}${head}/>\n` : `<${name}${head}>${body}</${name}>\n`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${xml(value)}"`)
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Escapes text. Expects no hidden characters: XML forbids some of them and readers change others.
 */
function xml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => entities[sign] as string);
}
