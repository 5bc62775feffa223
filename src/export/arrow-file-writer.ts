import { RecordBatchFileWriter, RecordBatchWriter, type Schema } from 'apache-arrow';

/** Writes Arrow files that start with their schema, as the format wants and the library leaves out. */
export class ArrowFileWriter extends RecordBatchFileWriter {
  protected override _writeSchema(schema: Schema): this {
    super._writeSchema(schema);
    // The stream's way of writing it, which the file's replaces by the file's first bytes.
    Reflect.apply(Reflect.get(RecordBatchWriter.prototype, '_writeSchema'), this, [schema]);
    return this;
  }
}
