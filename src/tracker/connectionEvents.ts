import { type Disposable, DisposableSlot } from '../common/disposable';
import type { PageRequest } from '../protocol/controlRequestsV2';
import type { Subscriber, Subscription } from './changeFeed';
import { type MaybePromise, whenReady } from './maybePromise';
import type { Registry } from './registry';

/** What one connection is told without asking: the changes, from its last SUBSCRIBE on. */
export class ConnectionEvents implements Disposable {
  private readonly slot = new DisposableSlot();
  private current: Subscription | undefined;
  /** Counts SUBSCRIBEs: only the last one holds. */
  private wishes = 0;

  constructor(
    private readonly registry: Pick<Registry, 'subscribe'>,
    private readonly connection: Subscriber,
  ) {}

  get isSubscribed(): boolean {
    return this.current?.isActive === true;
  }

  /** The reply to SUBSCRIBE; events come only behind it. */
  subscribe(request: PageRequest): MaybePromise<string> {
    const wish = (this.wishes += 1);
    this.set(undefined);
    const subscriber: Subscriber = {
      isReady: () => this.current !== undefined && this.connection.isReady(),
      send: (line) => this.connection.send(line),
    };
    return whenReady(this.registry.subscribe(subscriber, request), ({ reply, subscription }) => {
      if (wish === this.wishes) this.set(subscription);
      else subscription.dispose();
      return reply;
    });
  }

  /** There is room again. */
  resume(): void {
    this.current?.resume();
  }

  dispose(): void {
    this.wishes += 1;
    this.set(undefined);
  }

  private set(subscription: Subscription | undefined): void {
    this.current = subscription;
    this.slot.set(subscription);
  }
}
