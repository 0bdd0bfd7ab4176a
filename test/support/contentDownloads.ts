import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { systemClock } from '../../src/common/clock';
import { createLogger } from '../../src/common/logger';
import { BlockPool } from '../../src/peer/transfer/pieces/blockPool';
import {
  ContentDownload,
  type ContentDownloadOptions,
  type ContentDownloadResult,
  type ContentSource,
} from '../../src/peer/transfer/pieces/contentDownload';
import { PieceFile } from '../../src/peer/transfer/pieces/pieceFile';
import { SourceDialer } from '../../src/peer/transfer/sourceDialer';
import { openSession } from '../../src/peer/transfer/transferSecurity';
import { sha256 } from './commandLine';
import { hashBytes, startHasher, type TestHasher } from './hashFiles';
import { type ObjectServer, type ObjectServerOptions, startObjectServer } from './objectServer';
import { temporaryFolder } from './temporaryFolder';

const MAX_BLOCKS = 16;
/** As long as always: what has to stall has a clock of its own. */
const STALL_MS = 10_000;

/** What downloads into one folder share. */
export interface DownloadSetup {
  readonly folder: string;
  readonly tools: TestHasher;
  readonly blocks: BlockPool;
  readonly log: string[];
}

export function setUpDownload(cleanup: Cleanup, maxBlocks = MAX_BLOCKS): DownloadSetup {
  const folder = temporaryFolder(cleanup);
  const tools = startHasher(cleanup, folder);
  return { folder, tools, blocks: new BlockPool(maxBlocks), log: [] };
}

/** Downloads `bytes` into `folder/part`; whatever was there from an earlier attempt is gone on with. */
export async function download(
  { folder, tools, blocks, log }: DownloadSetup,
  bytes: Buffer,
  sources: readonly ContentSource[],
  options: Partial<ContentDownloadOptions> = {},
): Promise<ContentDownloadResult> {
  const { contentId, layer } = hashBytes(bytes);
  const signal = options.signal ?? new AbortController().signal;
  const file = await PieceFile.open(
    { path: join(folder, 'part'), journal: join(folder, 'journal'), contentId, layer },
    { pool: tools.pool, hasher: tools.hasher, blocks },
    signal,
  );
  try {
    return await new ContentDownload({
      clock: systemClock,
      dialer: new SourceDialer(systemClock, openSession),
      logger: createLogger((_level, _tag, message) => log.push(message)),
      contentId,
      blocks,
      stallMs: STALL_MS,
      file,
      signal,
      sources,
      findSources: () => Promise.resolve([]),
      onVerified: () => undefined,
      ...options,
    }).run();
  } finally {
    file.close();
  }
}

export function assertWhole({ folder }: DownloadSetup, bytes: Buffer): void {
  assert.equal(sha256(readFileSync(join(folder, 'part'))), sha256(bytes));
}

/** Sources for the same bytes, one for each set of options. */
export async function serveAll(
  cleanup: Cleanup,
  bytes: Buffer,
  options: readonly ObjectServerOptions[],
): Promise<ObjectServer[]> {
  return Promise.all(
    options.map((one, index) =>
      startObjectServer(cleanup, bytes, { hostname: `source-${index}`, ...one }),
    ),
  );
}
