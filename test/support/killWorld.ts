import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { extname, join } from 'node:path';
import type { Cleanup } from '../../scripts/host/cleanup';
import { formatHostPort, type HostPort } from '../../src/protocol/address';
import { pieceBytes } from '../../src/protocol/hashTree';
import {
  type CommandLineUser,
  journaledPieces,
  leftoversFolder,
  leftoversOf,
  readReport,
  sha256,
  startCommand,
  startPrepared,
  startSharing,
} from './commandLine';
import { hurried } from './hurry';
import type { Random } from './random';
import type { TestProcess } from './startProcess';
import { prepareStops, type StopCall } from './stops';
import { temporaryFolder } from './temporaryFolder';

/** A fetch of the file takes about this long when nobody interrupts it. */
const MAX_MOMENT_MS = 900;
const MAX_MOMENT_PIECES = 16;
const POLL_MS = 2;
/** Heads of replies, and nothing else, come on top of what was missing. */
const HEAD_SHARE = 0.01;
/** Factor by which time passes faster for a fetcher whose publisher stays away. */
const PATIENCE = 8;
/** Files that a fetch makes: half a record, a record, a part, a journal and the file. */
const KINDS = ['.new', '.json', '.part', '.pieces', 'file'] as const;

/** `publisher`: it stays away; `restarted`: it comes back before the fetcher goes on. */
export type Victim = 'fetcher' | 'publisher' | 'restarted' | 'both';

export interface KillWorldOptions {
  readonly tracker: HostPort;
  readonly hostname: string;
  /** The published file, which nobody else offers: publishers of it are killed as well. */
  readonly name: string;
  readonly path: string;
  readonly content: Buffer;
}

/** One publisher and one fetcher, both processes, that are killed again and again. */
export class KillWorld {
  fetcher: CommandLineUser;
  readonly ports = new Set<number>();
  kills = 0;
  publisherKills = 0;
  wholeFiles = 0;
  private readonly publisher: CommandLineUser;
  private readonly sha: string;
  private sharing: TestProcess | undefined;
  /** What was verified before, of the file that is being fetched. */
  private known = new Set<number>();

  constructor(
    private readonly cleanup: Cleanup,
    private readonly options: KillWorldOptions,
  ) {
    this.fetcher = this.newUser();
    this.publisher = this.newUser();
    this.sha = sha256(options.content);
  }

  /**
   * A fetch that is stopped at a stage, where the victim is killed; a fetcher that is not killed goes
   * on to its end.
   * @returns how the fetcher has ended.
   */
  async killAt(stage: StopCall, victim: Victim): Promise<number | NodeJS.Signals> {
    await this.share();
    const stops = prepareStops(this.cleanup, stage);
    // Without its publisher a fetch tries for long.
    const prepared = victim === 'publisher' ? [stops, hurried(PATIENCE)] : [stops];
    const fetching = startPrepared(this.cleanup, this.fetcher, prepared, ...this.fetchArguments);
    await stops.reached(0, fetching);
    if (victim !== 'fetcher') await this.killPublisher(fetching);
    if (victim === 'restarted') await this.share();
    if (victim === 'fetcher' || victim === 'both') {
      await this.killFetcher(fetching);
      return 'SIGKILL';
    }
    stops.release(0);
    const code = await fetching.exited;
    this.check();
    return code;
  }

  /** One fetch in which the publisher, the fetcher or both are killed at random moments. */
  async round(random: Random): Promise<void> {
    if (existsSync(this.destination)) await this.finish();
    await this.share();
    const limit = random.pick([], ['--max-download', '60'], ['--max-download', '120']);
    const fetching = this.fetch(...limit);
    const victim = random.pick('fetcher', 'fetcher', 'publisher', 'both');
    await this.moment(fetching, random);
    if (victim !== 'fetcher') await this.killPublisher(fetching);
    if (victim === 'both') await this.moment(fetching, random);
    // Without its publisher a fetch ends by itself, or finds it again: half of them may.
    if (victim === 'publisher' && random.next() < 0.5) {
      if (random.next() < 0.5) await this.share();
      await fetching.exited;
      this.check();
    } else await this.killFetcher(fetching);
  }

  /** The fetch runs to its end, and leaves nothing but the right file. The next one is somebody else's. */
  async finish(): Promise<void> {
    const wasThere = existsSync(this.destination);
    const [kept, size] = [this.keptBytes(), this.options.content.length];
    await this.share();
    const fetching = this.fetch();
    assert.equal(await fetching.exited, 0, fetching.stderr());
    this.check();
    assert.ok(existsSync(this.destination), 'the file is there');
    const report = readReport(fetching);
    if (!wasThere) {
      const { keptBytes, receivedBytes } = report;
      assert.ok(keptBytes >= kept, `${keptBytes} bytes were kept of ${kept} verified ones`);
      const surplus = receivedBytes - (size - keptBytes);
      assert.ok(surplus >= 0 && surplus <= size * HEAD_SHARE, `${surplus} bytes came in vain`);
    }
    assert.deepEqual(leftoversOf(this.fetcher).filter(isNoHalfRecord), []);
    this.wholeFiles += 1;
    this.known.clear();
    rmSync(this.destination);
  }

  /** The next fetcher is another user, without any part or record of the file. */
  changeFetcher(): void {
    this.fetcher = this.newUser();
  }

  /** Files on the disk of the fetcher, in the order in which a fetch makes them. */
  left(): string[] {
    const kinds = leftoversOf(this.fetcher).map((name) => extname(name));
    const all = existsSync(this.destination) ? [...kinds, 'file'] : kinds;
    return KINDS.filter((kind) => all.includes(kind));
  }

  /** Pieces that the fetcher has noted as verified. */
  journaled(): Set<number> {
    return journaledPieces(leftoversFolder(this.fetcher));
  }

  private newUser(): CommandLineUser {
    return { folder: temporaryFolder(this.cleanup), data: temporaryFolder(this.cleanup) };
  }

  private get destination(): string {
    return join(this.fetcher.folder, this.options.name);
  }

  private async share(): Promise<void> {
    if (this.sharing !== undefined) return;
    const { path, tracker, hostname, name } = this.options;
    const share = { path, tracker, hostname, more: ['--name', name] };
    const { process, port } = await startSharing(this.cleanup, this.publisher, share);
    this.sharing = process;
    this.ports.add(port);
  }

  private get fetchArguments(): string[] {
    const { name, tracker } = this.options;
    return ['fetch', name, '--tracker', formatHostPort(tracker), '--json'];
  }

  private fetch(...more: string[]): TestProcess {
    return startCommand(this.cleanup, this.fetcher, ...this.fetchArguments, ...more);
  }

  /** A while, or until some more pieces are verified, or the end of the fetch. */
  private async moment(fetching: TestProcess, random: Random): Promise<void> {
    const isOver = (): boolean => fetching.child.exitCode !== null;
    const startMs = performance.now();
    const untilMs = startMs + random.below(MAX_MOMENT_MS);
    const pieces = this.journaled().size + 1 + random.below(MAX_MOMENT_PIECES);
    const byTime = random.next() < 0.5;
    const hasCome = (): boolean =>
      byTime
        ? performance.now() >= untilMs
        : this.journaled().size >= pieces || performance.now() > startMs + 2 * MAX_MOMENT_MS;
    while (!isOver() && !hasCome()) await delay(POLL_MS);
  }

  private async killPublisher(fetching: TestProcess): Promise<void> {
    const { sharing } = this;
    this.sharing = undefined;
    if (fetching.child.exitCode === null) {
      this.kills += 1;
      this.publisherKills += 1;
    }
    sharing?.child.kill('SIGKILL');
    await sharing?.exited;
    this.check();
  }

  private async killFetcher(fetching: TestProcess): Promise<void> {
    fetching.child.kill('SIGKILL');
    // One that has ended by itself was not killed.
    if ((await fetching.exited) === 'SIGKILL') this.kills += 1;
    this.check();
  }

  /** The file is whole or not there, and nothing that was verified is forgotten. */
  private check(): void {
    if (existsSync(this.destination)) {
      assert.equal(sha256(readFileSync(this.destination)), this.sha, 'the file is right');
      return;
    }
    const pieces = this.journaled();
    for (const piece of this.known) assert.ok(pieces.has(piece), `piece ${piece} was forgotten`);
    this.known = pieces;
    const parts = leftoversOf(this.fetcher).filter((name) => name.endsWith('.part'));
    assert.ok(parts.length <= 1, `${parts.length} parts`);
  }

  private keptBytes(): number {
    const size = this.options.content.length;
    const perPiece = pieceBytes(size);
    const ends = [...this.journaled()].map((piece) => Math.min(size, (piece + 1) * perPiece));
    return ends.reduce((sum, end) => sum + (((end - 1) % perPiece) + 1), 0);
  }
}

/**
 * A kill between writing a record and giving it its name leaves some hundred bytes, which are taken
 * away when they have lain there for an hour: until then somebody may be at work on them.
 */
function isNoHalfRecord(name: string): boolean {
  return !name.endsWith('.new');
}
