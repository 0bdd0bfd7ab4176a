import { isAbsolute } from 'node:path';
import * as v from 'valibot';
import { mapConcurrently } from '../../common/concurrency';
import { DisposableBase } from '../../common/disposable';
import { describeError, type PeershelfError } from '../../common/errors';
import { readJsonFile, writeJsonFile } from '../../common/jsonFile';
import type { Logger } from '../../common/logger';
import { formatContentId, parseContentId } from '../../protocol/contentId';
import { MAX_NAME_BYTES } from '../../protocol/limits';
import { isInside } from '../paths';
import type { Fetcher } from './fetcher';
import type { UnfinishedTransfer } from './transferHandle';
import type { TransferList } from './transferList';

const RECORD_VERSION = 1;
/** Downloads that are remembered; of more, the first ones: they would run first. */
const MAX_REMEMBERED = 200;
/** Each asks the tracker, and in a team session publishers, who may not answer. */
const STARTS_AT_ONCE = 8;

const absolutePath = v.pipe(v.string(), v.check(isAbsolute));
const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const name = v.pipe(v.string(), v.maxBytes(MAX_NAME_BYTES));
const contentText = v.pipe(
  v.string(),
  v.check((text) => parseContentId(text) !== undefined),
);
const request = {
  guardedAs: v.optional(v.string()),
  destination: absolutePath,
  folder: v.optional(absolutePath),
  ifExists: v.picklist(['fail', 'overwrite', 'keepBoth']),
};
const rememberedSchema = v.object({
  /** Key of the session in which it was wished for: names mean nothing in another one. */
  session: v.string(),
  name,
  peer: v.string(),
  bytes: amount,
  totalBytes: amount,
  startedAtMs: amount,
  /** The user had paused it. */
  isPaused: v.boolean(),
  content: v.optional(contentText),
  wish: v.variant('kind', [
    v.object({
      kind: v.literal('file'),
      request: v.object({
        ...request,
        name,
        hostname: v.optional(name),
        contentId: v.optional(contentText),
      }),
    }),
    v.object({
      kind: v.literal('folder'),
      request: v.object({
        ...request,
        prefix: name,
        hostnames: v.optional(v.pipe(v.array(name), v.readonly())),
        fromAll: v.optional(v.boolean()),
      }),
    }),
  ]),
});
const recordSchema = v.object({
  version: v.literal(RECORD_VERSION),
  transfers: v.pipe(v.array(rememberedSchema), v.maxLength(MAX_REMEMBERED)),
});

type Remembered = v.InferOutput<typeof rememberedSchema>;

export interface UnfinishedTransfersDependencies {
  readonly logger: Logger;
  readonly transfers: TransferList;
  /** Undefined: nothing outlives this engine. */
  readonly file: string | undefined;
  /** What is fetched into this folder is nothing that the user has asked for. */
  readonly ownFolder: string;
  /** Key of the session that this peer is in. */
  readonly session: () => string | undefined;
  readonly fetcher: Pick<Fetcher, 'discard'>;
  /** Starts a restored one again. */
  readonly start: (id: string) => Promise<unknown>;
}

/**
 * Downloads that have not ended when the window is loaded again, closed, or its engine crashes: kept in
 * a file, and shown again in the next run when it is in the same session, or in this one when it comes
 * back into the session. Those that were paused stay so; the others go on.
 */
export class UnfinishedTransfers extends DisposableBase {
  /** Of sessions that this peer is not in. */
  private waiting: readonly Remembered[] = [];
  private readonly sessions = new Map<string, string>();
  private written = '';
  private isStopped = false;

  constructor(private readonly dependencies: UnfinishedTransfersDependencies) {
    super();
    const { file, logger, transfers } = dependencies;
    if (file === undefined) return;
    this.waiting = readJsonFile(file, recordSchema, logger)?.transfers ?? [];
    this.register(transfers.onDidChange(() => this.save(false)));
  }

  /** This peer is in a session: what was under way there is shown, and goes on. */
  async restore(): Promise<void> {
    const { transfers, session, start, logger } = this.dependencies;
    const key = session();
    const restored = this.waiting.filter((one) => one.session === key);
    this.waiting = this.waiting.filter((one) => one.session !== key);
    const goOn = restored.flatMap(({ session: ofSession, isPaused, content, ...about }) => {
      const id = transfers.restore({ ...about, content: parseContentId(content ?? '') });
      this.sessions.set(id, ofSession);
      return isPaused ? [] : [id];
    });
    await mapConcurrently(goOn, STARTS_AT_ONCE, (id) =>
      // Who offers it may not be back yet: it stays paused, and can be resumed.
      start(id).catch((error: unknown) =>
        logger.info(`going on with a download: ${describeError(error)}`),
      ),
    );
  }

  /** Removes what an earlier run has left of a download that is cancelled now. */
  discard(id: string): void {
    const { transfers, fetcher, logger } = this.dependencies;
    const found = transfers.unfinished().find((one) => one.id === id);
    if (found?.content === undefined || !transfers.isRestored(id)) return;
    try {
      fetcher.discard(found.wish.request.destination, found.content);
    } catch (error) {
      logger.info(`cannot remove what is left of ${found.name}: ${describeError(error)}`);
    }
  }

  /** This peer leaves its session: what is under way ends, and goes on when it is in it again. */
  park(reason: PeershelfError): void {
    if (this.isStopped) return;
    const parked = this.current().slice(0, MAX_REMEMBERED);
    this.waiting = [...parked, ...this.waiting].slice(0, MAX_REMEMBERED);
    this.dependencies.transfers.leaveSession(reason);
    this.sessions.clear();
    this.save(true);
  }

  /** Notes how far everything is, for the last time: what ends from now on goes on in the next run. */
  stop(): void {
    this.save(true);
    this.isStopped = true;
    this.dispose();
  }

  /** @param evenProgress whether it is written also when only the progress has changed. */
  private save(evenProgress: boolean): void {
    const { file, logger } = this.dependencies;
    if (file === undefined || this.isStopped) return;
    const current = this.current();
    const known = JSON.stringify(current.map(({ bytes: _, ...rest }) => rest));
    if (known === this.written && !evenProgress) return;
    // Those of other sessions may never be asked for again: they do not take the place of these.
    const transfers = [...current, ...this.waiting].slice(0, MAX_REMEMBERED);
    try {
      writeJsonFile(file, { version: RECORD_VERSION, transfers });
      this.written = known;
    } catch (error) {
      // The transfers run all the same; only a reload would forget them.
      logger.warn(`transfers cannot be remembered: ${describeError(error)}`);
    }
  }

  private current(): Remembered[] {
    const unfinished = this.dependencies.transfers.unfinished();
    const ids = new Set(unfinished.map(({ id }) => id));
    for (const id of this.sessions.keys()) if (!ids.has(id)) this.sessions.delete(id);
    return unfinished.flatMap((one) => this.toRemembered(one));
  }

  private toRemembered({ id, content, ...about }: UnfinishedTransfer): Remembered[] {
    const session = this.sessions.get(id) ?? this.dependencies.session();
    const { destination } = about.wish.request;
    if (session === undefined || isInside(this.dependencies.ownFolder, destination)) return [];
    this.sessions.set(id, session);
    return [{ ...about, session, content: content && formatContentId(content) }];
  }
}
