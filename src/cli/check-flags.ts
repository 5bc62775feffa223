import * as Flags from '@oclif/core/flags';
import { maxEvidence } from '../check/evidence.js';
import type { FindingFormat } from '../check/formats/format.js';
import { findingFormatNames, formatNamed } from '../check/formats/index.js';
import { ruleLanguages } from '../check/languages.js';
import { type Level, parseLevel } from '../check/levels.js';
import type { RuleSwitch } from '../check/selection.js';
import { readSuppressions, Suppressions, today } from '../check/suppressions.js';
import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import { samePath } from '../export/plan.js';
import { maxMemoryFlag } from './collector-flags.js';
import { pagerFlag } from './draw-flags.js';

const rulesGroup = 'RULES';
const outputGroup = 'OUTPUT';

export const checkFlags = {
  rules: Flags.string({
    helpGroup: rulesGroup,
    helpValue: 'FILE|DIR',
    multiple: true,
    multipleNonGreedy: true,
    required: true,
    description: 'rule files, or directories with .yaml, .yml and .sql rule files; may be repeated',
  }),
  'rules-language': Flags.option({ options: ruleLanguages })({
    helpGroup: rulesGroup,
    helpValue: ruleLanguages.join('|'),
    description: 'language of the rules (default: recognized from each file)',
  }),
  'sigma-mapping': Flags.string({
    helpGroup: rulesGroup,
    helpValue: 'FILE',
    description: 'additional fields, logs and placeholders for Sigma rules (docs/check-sigma.md)',
  }),
  'rule-matching': Flags.option({ options: ['first', 'all'] as const })({
    helpGroup: rulesGroup,
    helpValue: 'first|all',
    default: 'first',
    description: 'report the first matching rule of an event, or all',
  }),
  enable: Flags.string({
    helpGroup: rulesGroup,
    helpValue: 'RULE',
    multiple: true,
    multipleNonGreedy: true,
    description:
      'switch rules on by name, pattern with *, or tag; --enable and --disable take effect in order',
  }),
  disable: Flags.string({
    helpGroup: rulesGroup,
    helpValue: 'RULE',
    multiple: true,
    multipleNonGreedy: true,
    description: 'switch rules off by name, pattern with *, or tag',
  }),
  tag: Flags.string({
    helpGroup: rulesGroup,
    helpValue: 'TAG',
    multiple: true,
    multipleNonGreedy: true,
    description: 'evaluate only rules with this tag; may be repeated, one match is enough',
  }),
  'min-level': Flags.string({
    helpGroup: rulesGroup,
    helpValue: 'LEVEL',
    description: 'evaluate only rules of this level or a more severe one',
  }),
  strict: Flags.boolean({
    helpGroup: rulesGroup,
    description: 'fail if a rule cannot be evaluated, or not in full',
  }),
  list: Flags.boolean({
    helpGroup: rulesGroup,
    exclusive: ['validate'],
    description: 'list the selected rules without reading a capture',
  }),
  validate: Flags.boolean({
    helpGroup: rulesGroup,
    description: 'report errors and warnings for the rules without reading a capture',
  }),
  format: Flags.string({
    char: 'f',
    helpGroup: outputGroup,
    helpValue: `${findingFormatNames.join('|')}[=FILE]`,
    multiple: true,
    multipleNonGreedy: true,
    description:
      'format of the findings, on standard output or in a file; may be repeated (default: table)',
  }),
  output: Flags.string({
    char: 'o',
    helpGroup: outputGroup,
    helpValue: 'FILE',
    description:
      'file for the findings, if --format names none; - for standard output (the default)',
  }),
  all: Flags.boolean({
    helpGroup: outputGroup,
    description: 'list every occurrence of a finding (default: once, with a count)',
  }),
  'max-memory': maxMemoryFlag,
  evidence: Flags.integer({
    helpGroup: outputGroup,
    helpValue: 'N',
    min: 1,
    max: maxEvidence,
    description:
      'add N events of the same thread before and after each of the most severe findings; reads captures again',
  }),
  suppress: Flags.string({
    helpGroup: outputGroup,
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
    description: 'file of known, accepted findings with reasons; they do not count',
  }),
  today: Flags.string({
    helpGroup: outputGroup,
    helpValue: 'YYYY-MM-DD',
    description: 'day to compare with the expiry dates of suppressions (default: today, in UTC)',
  }),
  'fail-on': Flags.string({
    helpGroup: outputGroup,
    helpValue: 'LEVEL|none',
    default: 'debug',
    description: 'exit with code 4 if a finding has this level or a more severe one',
  }),
  'exit-zero': Flags.boolean({
    helpGroup: outputGroup,
    description: 'exit with code 0 despite findings; same as --fail-on none',
  }),
  ...pagerFlag,
};

/** A format and where it goes, - for standard output. */
export interface FormatOutput {
  format: FindingFormat;
  output: string;
}

/** What --format and -o say, once for each output. */
export function formatOutputs(
  wanted: readonly string[] | undefined,
  inputs: readonly string[],
  target: string | undefined,
): FormatOutput[] {
  const formats = wanted ?? [findingFormatNames[0] as string];
  if (target !== undefined && formats.every((format) => format.includes('=')))
    refuse(`-o ${target}: every --format names a file already; leave out -o`);
  if (target === '') refuse('-o: no file is named');
  const outputs = formats.map((format) => formatOutput(format, target));
  for (const [index, { output }] of outputs.entries()) {
    if (
      outputs
        .slice(0, index)
        .some((other) => other.output === output || samePath(other.output, output))
    )
      refuse(
        `--format: ${output === '-' ? 'standard output' : output} is given twice; write FORMAT=FILE`,
      );
    if (inputs.some((input) => samePath(input, output)))
      refuse(`--format: ${output} is an input as well; name another file`);
  }
  return outputs;
}

function formatOutput(text: string, target = '-'): FormatOutput {
  const [name = '', ...file] = text.split('=');
  const format = formatNamed(name);
  if (format === undefined) {
    const likely = nearest(name, findingFormatNames);
    const advice =
      likely === undefined
        ? `expected one of ${findingFormatNames.join(', ')}`
        : `did you mean '${likely}'?`;
    refuse(`--format: '${name}' is not a format; ${advice}`);
  }
  if (text.endsWith('=') && file.length === 1) refuse(`--format: no file is named in '${text}'`);
  return { format, output: file.length === 0 ? target : file.join('=') };
}

/** The files of --suppress, as they hold on the day of the run. */
export function suppressionsOf(
  files: readonly string[] | undefined,
  day: string | undefined,
): Suppressions {
  return new Suppressions((files ?? []).flatMap(readSuppressions), day ?? today());
}

/** --enable and --disable in the order in which they were given. */
export function ruleSwitches(
  raw: readonly { type: string; flag?: string; input: string }[],
): RuleSwitch[] {
  return raw.flatMap(({ type, flag, input }) =>
    type === 'flag' && (flag === 'enable' || flag === 'disable')
      ? [{ enabled: flag === 'enable', rules: input }]
      : [],
  );
}

/** The level from which findings decide the exit code; undefined for none. */
export function failLevel({
  'fail-on': level,
  'exit-zero': isZero,
}: {
  'fail-on': string;
  'exit-zero': boolean;
}) {
  const parsed: Level | undefined = level === 'none' ? undefined : parseLevel('--fail-on', level);
  return isZero ? undefined : parsed;
}

function refuse(message: string): never {
  throw new SfkitError('INVALID_ARGUMENT', message);
}
