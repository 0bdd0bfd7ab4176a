import type { StartedTransfer } from './peerApi';
import { retry, type Starter } from './transfer/retry';
import type { TransferList } from './transfer/transferList';
import type { UnfinishedTransfers } from './transfer/unfinished';

type Which = { readonly id: string };

/** What users do with transfers, as `PeerApi` has it. */
export class TransferCalls {
  constructor(
    private readonly transfers: TransferList,
    private readonly unfinished: UnfinishedTransfers,
    private readonly starter: Starter,
  ) {}

  cancel({ id }: Which): Promise<void> {
    this.unfinished.discard(id);
    this.transfers.cancel(id);
    return Promise.resolve();
  }

  pause({ id }: Which): Promise<void> {
    // The executor runs at once, and what it refuses rejects.
    return new Promise((resolve) => {
      this.transfers.pause(id);
      resolve();
    });
  }

  async resume({ id }: Which): Promise<StartedTransfer> {
    if (this.transfers.isRestored(id)) return this.retry({ id });
    this.transfers.resume(id);
    return { id: undefined };
  }

  async retry({ id }: Which): Promise<StartedTransfer> {
    return { id: await retry(this.transfers, id, this.starter) };
  }

  clear(): Promise<void> {
    this.transfers.clear();
    return Promise.resolve();
  }
}
