import { strict as assert } from 'node:assert';
import { type ErrorCode, PeershelfError } from '../../src/common/errors';

/** Asserts that `promise` rejects with a coded error, and resolves to it. */
export async function rejectsWith(
  code: ErrorCode,
  promise: Promise<unknown>,
): Promise<PeershelfError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof PeershelfError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  return assert.fail(`expected ${code}, but it succeeded`);
}

/** As `rejectsWith`, for what throws at once. */
export function throwsWith(code: ErrorCode, run: () => unknown, what?: string): PeershelfError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof PeershelfError, String(error));
    assert.equal(error.code, code, what ?? error.message);
    return error;
  }
  return assert.fail(`expected ${code}, but it succeeded: ${what ?? ''}`);
}
