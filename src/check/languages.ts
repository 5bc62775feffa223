import { dirname } from 'node:path';
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

const rule = /^\s*-\s+["']?rule["']?\s*:/m;

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
  const looksLike = ({ content }: RuleText) => languages.findLast((language) => language.recognizes(content));
  // Lists and macros alone look the same in both of these languages; they belong to the rules beside them.
  const policies = new Set(files.filter((file) => looksLike(file) === sysflow).map(({ name }) => dirname(name)));
  const isShared = (file: RuleText) => !rule.test(file.content) && policies.has(dirname(file.name));
  const languageOf = (file: RuleText) => {
    if (known !== undefined) return known;
    const likely = looksLike(file) ?? languages[0];
    return likely === falco && isShared(file) ? sysflow : likely;
  };
  return languages
    .map((language) => ({ language, files: files.filter((file) => languageOf(file) === language) }))
    .filter(({ files }) => files.length > 0);
}
