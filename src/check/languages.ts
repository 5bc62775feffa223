import { SfkitError } from '../engine/errors.js';
import { nearest } from '../engine/nearest.js';
import { falco } from './falco/falco.js';
import type { RuleLanguage, RuleText } from './language.js';
import { sigma } from './sigma/sigma.js';
import { sql } from './sql/sql.js';
import { sysflow } from './sysflow/sysflow.js';

/** The first is that of files which look like none. Those that look like several are of the last of them. */
const languages: readonly [RuleLanguage, ...RuleLanguage[]] = [falco, sysflow, sigma, sql];

export const ruleLanguages: readonly string[] = languages.map(({ name }) => name);

/** Whether a file in a directory within one that was named is rules. */
export function isNestedFile({ content }: RuleText): boolean {
  return languages.findLast((language) => language.recognizes(content))?.isNested === true;
}

/** Files by their language, which is the one that is wanted, or what each looks like. */
export function byLanguage(
  files: readonly RuleText[],
  wanted: string | undefined,
): { language: RuleLanguage; files: RuleText[] }[] {
  const known = languages.find(({ name }) => name === wanted);
  if (wanted !== undefined && known === undefined) {
    const likely = nearest(wanted, ruleLanguages);
    const advice = likely === undefined ? `it is one of ${ruleLanguages.join(', ')}` : `did you mean '${likely}'?`;
    throw new SfkitError('INVALID_ARGUMENT', `'${wanted}' is no language of rules; ${advice}`);
  }
  const languageOf = ({ content }: RuleText) =>
    known ?? languages.findLast((language) => language.recognizes(content)) ?? languages[0];
  return languages
    .map((language) => ({ language, files: files.filter((file) => languageOf(file) === language) }))
    .filter(({ files }) => files.length > 0);
}
