import { quoteText } from '../../duckdb/sql-text.js';

/** SQL for a text of any content. SQL itself ends at a NUL, so that one is put in by chr(). */
export function textLiteral(text: string): string {
  const parts = text.split('\0').map(quoteText);
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' || chr(0) || ')})`;
}

/** SQL for a list of texts. */
export function textListLiteral(texts: readonly string[]): string {
  return texts.length === 0 ? 'CAST([] AS VARCHAR[])' : `[${texts.map(textLiteral).join(', ')}]`;
}
