import { quoteText } from '../../duckdb/sql-text.js';

/** SQL literal for any text. A NUL would end the statement, so it becomes chr(0). */
export function textLiteral(text: string): string {
  const parts = text.split('\0').map(quoteText);
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' || chr(0) || ')})`;
}

/** SQL for a list of texts. */
export function textListLiteral(texts: readonly string[]): string {
  return texts.length === 0 ? 'CAST([] AS VARCHAR[])' : `[${texts.map(textLiteral).join(', ')}]`;
}
