import { RecordBatchFileWriter, RecordBatchWriter, type Schema } from 'apache-arrow';

/**
 * Writes Arrow files that start with their schema. The format requires it, but the library omits
 * it.
 */
export class ArrowFileWriter extends RecordBatchFileWriter {
  protected override _writeSchema(schema: Schema): this {
    super._writeSchema(schema);
    // The stream writer's method. The file writer's method writes only the magic bytes.
    Reflect.apply(Reflect.get(RecordBatchWriter.prototype, '_writeSchema'), this, [schema]);
    return this;
  }
}
