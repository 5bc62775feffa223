// The public library: what `import 'sfkit'` gives.
export { type CellValue, Column, ColumnBatch } from './engine/batch.js';
export {
  type ColumnSpec,
  columns,
  type TableColumn,
  type TableName,
  tableColumns,
  tables,
} from './engine/columns.gen.js';
export type { CollectorOptions, CompatMode, FileReadMode, SessionConfig } from './engine/config.js';
export { SfkitError, type SfkitErrorCode } from './engine/errors.js';
export { openAvro, openColumns, readSummary, type Session, type Summary } from './engine/session.js';
export { type ConvertOptions, convert } from './export/convert.js';
export { type Conversion, type Format, formats, planConversions } from './export/plan.js';
