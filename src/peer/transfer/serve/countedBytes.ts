import type { Disposable } from '../../../common/disposable';
import { PeershelfError } from '../../../common/errors';
import { GrowingBytes } from '../../../common/growingBytes';
import type { BudgetHolder, SharedBudget } from '../../../common/sharedBudget';

/**
 * Bytes of one unfinished request, in one place whatever pieces they arrive in, and counted in the budget
 * that all connections of a port share.
 */
export class CountedBytes implements Disposable {
  private readonly bytes: GrowingBytes;
  private readonly holder: BudgetHolder;

  /**
   * @param onTooMuch called when all connections together hold too much and this one holds most: the
   * connection is to be closed.
   */
  constructor(
    private readonly budget: SharedBudget,
    private readonly maxBytes: number,
    onTooMuch: (error: PeershelfError) => void,
  ) {
    this.bytes = new GrowingBytes(maxBytes);
    this.holder = {
      giveUp: () => {
        this.bytes.clear();
        onTooMuch(new PeershelfError('LIMIT_EXCEEDED', 'too much unfinished input'));
      },
    };
  }

  get length(): number {
    return this.bytes.length;
  }

  /** @throws LIMIT_EXCEEDED for more than `maxBytes`. */
  append(chunk: Buffer): void {
    if (this.length + chunk.length > this.maxBytes)
      throw new PeershelfError('LIMIT_EXCEEDED', 'too many bytes are waiting to be read');
    this.bytes.append(chunk);
    this.budget.set(this.holder, this.length);
  }

  /** A copy, which outlives this object. */
  copy(): Buffer {
    return Buffer.from(this.bytes.view());
  }

  dispose(): void {
    this.bytes.clear();
    this.budget.set(this.holder, 0);
  }
}
