import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { launchProfile } from '../../scripts/host/browser';
import { formatHostPort } from '../../src/protocol/address';

const VIEWPORT = { width: 1400, height: 1000 };
/** Length of the key that the workbench asks for. */
const SECRET_KEY_BYTES = 32;
/** All that a user of an address would find again; the caches of its scripts are no part of it. */
const KEPT_FOR_USERS = 'cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage';

/** A place for the windows of one user at a time. */
export interface Seat {
  readonly context: BrowserContext;
  /** Address of the last server of this seat; port 0 before the first one. */
  host: string;
  port: number;
}

interface Profile {
  readonly folder: string;
  readonly context: BrowserContext;
  /** A page that stays, so that the browser does. */
  readonly holder: Page;
}

/**
 * The browser of a test run, with one profile on disk: it loads and compiles the editor's scripts once for
 * each address instead of once for each window. One user after the other has an address; what the
 * workbench stored for a user is removed with the user.
 */
export class SharedBrowser {
  private readonly free: Seat[] = [];
  private started: Promise<Profile> | undefined;

  constructor(private readonly report: (line: string) => void) {}

  /** A seat that was used before if one is free, so that its address is known to the caches. */
  async take(): Promise<Seat> {
    const { context } = await (this.started ??= this.start());
    return this.free.pop() ?? { context, host: '', port: 0 };
  }

  /** Takes a seat back once its windows are closed, and forgets its user. */
  async giveBack(seat: Seat): Promise<void> {
    if (seat.port === 0) return; // Its server has never started.
    const { holder } = await (this.started ??= this.start());
    const session = await seat.context.newCDPSession(holder);
    await session.send('Storage.clearDataForOrigin', {
      origin: `http://${formatHostPort(seat)}`,
      storageTypes: KEPT_FOR_USERS,
    });
    await session.detach();
    this.free.push(seat);
  }

  /** Ends the browser and removes its profile. */
  async close(): Promise<void> {
    const profile = await this.started;
    if (profile === undefined) return;
    this.started = undefined;
    this.free.length = 0;
    await profile.context.close();
    await rm(profile.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private async start(): Promise<Profile> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'peershelf-browser-'));
    const context = await launchProfile(folder, this.report, {
      viewport: VIEWPORT,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await answerKeyRequests(context);
    return { folder, context, holder: context.pages()[0] ?? (await context.newPage()) };
  }
}

/**
 * The workbench encrypts its secrets with a key that the front of the server answers with; this build has no
 * front, and without that answer secrets would end with the page.
 */
async function answerKeyRequests(context: BrowserContext): Promise<void> {
  // A route would make the browser ask for every file of the editor again, each time a window loads.
  const keyHalf = JSON.stringify([...randomBytes(SECRET_KEY_BYTES)]);
  await context.addInitScript(`{
    const fetchFromServer = globalThis.fetch;
    globalThis.fetch = (target, ...options) =>
      String(target?.url ?? target).endsWith('/mint-key')
        ? Promise.resolve(new Response(new Uint8Array(${keyHalf})))
        : fetchFromServer(target, ...options);
  }`);
}
