import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
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
  startSharing,
} from './commandLine';
import type { Random } from './random';
import type { TestProcess } from './startProcess';
import { temporaryFolder } from './temporaryFolder';

/** A fetch of the file takes about this long when nobody interrupts it. */
const MAX_MOMENT_MS = 900;
const MAX_MOMENT_PIECES = 16;
const POLL_MS = 2;
/** Heads of replies, and nothing else, come on top of what was missing. */
const HEAD_SHARE = 0.01;

/** In which phase of a fetch a kill came, as far as the disk tells. */
export type Phase = 'starting' | 'begun' | 'growing' | 'finished';

export interface KillWorldOptions {
  readonly tracker: HostPort;
  readonly hostname: string;
  /** The published file, which nobody else offers: those who do are killed as well. */
  readonly name: string;
  readonly path: string;
  readonly content: Buffer;
  readonly random: Random;
}

/** One publisher and one fetcher, both processes, that are killed again and again. */
export class KillWorld {
  readonly fetcher: CommandLineUser;
  readonly phases: Record<Phase, number> = { starting: 0, begun: 0, growing: 0, finished: 0 };
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
    this.fetcher = { folder: temporaryFolder(cleanup), data: temporaryFolder(cleanup) };
    this.publisher = { folder: temporaryFolder(cleanup), data: temporaryFolder(cleanup) };
    this.sha = sha256(options.content);
  }

  /** One fetch in which the publisher, the fetcher or both are killed at random moments. */
  async round(): Promise<void> {
    const { random } = this.options;
    if (existsSync(this.destination)) await this.finish();
    await this.share();
    const limit = random.pick([], ['--max-download', '60'], ['--max-download', '120']);
    const fetching = this.fetch(...limit);
    const victim = random.pick('fetcher', 'fetcher', 'publisher', 'both');
    await this.moment(fetching);
    if (victim !== 'fetcher') await this.killPublisher(fetching);
    if (victim === 'both') await this.moment(fetching);
    // Without its publisher a fetch ends by itself, or finds it again: half of them may.
    if (victim === 'publisher' && random.next() < 0.5) {
      if (random.next() < 0.5) await this.share();
      await fetching.exited;
      this.check();
    } else await this.killFetcher(fetching);
  }

  /** The fetch runs to its end, and leaves nothing but the right file. */
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

  private fetch(...more: string[]): TestProcess {
    const tracker = formatHostPort(this.options.tracker);
    return startCommand(
      this.cleanup,
      this.fetcher,
      ...['fetch', this.options.name, '--tracker', tracker, '--json', ...more],
    );
  }

  /** A while, or until some more pieces are verified, or the end of the fetch. */
  private async moment(fetching: TestProcess): Promise<void> {
    const { random } = this.options;
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
      this.phases[this.phase()] += 1;
    }
    sharing?.child.kill('SIGKILL');
    await sharing?.exited;
    this.check();
  }

  private async killFetcher(fetching: TestProcess): Promise<void> {
    fetching.child.kill('SIGKILL');
    // One that has ended by itself was not killed.
    if ((await fetching.exited) === 'SIGKILL') {
      this.kills += 1;
      this.phases[this.phase()] += 1;
    }
    this.check();
  }

  private phase(): Phase {
    if (existsSync(this.destination)) return 'finished';
    if (this.journaled().size > 0) return 'growing';
    return leftoversOf(this.fetcher).length > 0 ? 'begun' : 'starting';
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

  private journaled(): Set<number> {
    return journaledPieces(leftoversFolder(this.fetcher));
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
