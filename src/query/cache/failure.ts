/** The cache could not take an input; the input itself may be sound. */
export class CacheFailure extends Error {
  constructor(cause: unknown) {
    super('the cache cannot be written', { cause });
  }
}
