// Separate from the writers, so that commands list the names without loading DuckDB.

export const textFormats = ['table', 'csv', 'json', 'jsonl', 'markdown'] as const;
export type TextFormat = (typeof textFormats)[number];

export const resultFormats = [...textFormats, 'parquet', 'arrow'] as const;
export type ResultFormat = (typeof resultFormats)[number];
