import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { type ErrorCode, PeershelfError, toPlainError } from '../../../src/common/errors';
import { nullLogger } from '../../../src/common/logger';
import {
  type Conflict,
  type Decision,
  type FetchJob,
  FetchOutcome,
  FetchRun,
  type FolderJob,
} from '../../../src/editor/fetchRun';
import type {
  FetchOptions,
  FetchRequest,
  FetchResult,
  FolderFetchRequest,
  FolderFetchResult,
} from '../../../src/peer/peerApi';

const FOLDER: FolderJob = { prefix: 'docs/', destination: '/w/shared/docs', folder: '/w' };

/** One operation over files that are there already, under the names of `there`. */
class World {
  readonly requests: FetchRequest[] = [];
  readonly asked: Conflict[] = [];
  readonly progress: [number, number][] = [];
  readonly outcome = new FetchOutcome();
  readonly controller = new AbortController();
  readonly failures = new Map<string, ErrorCode>();
  readonly answers: (Decision | undefined)[] = [];
  there = new Set<string>();
  unsaved = new Set<string>();
  folder: Partial<FolderFetchResult> = {};
  readonly owners: string[] = [];
  isAmbiguous = false;
  folderOwners: string[] | undefined;
  readonly askedFolders: string[] = [];
  readonly folderRequests: FolderFetchRequest[] = [];
  allowsRisky = false;
  risky: readonly FetchJob[] = [];
  riskyQuestions = 0;

  run(jobs: readonly FetchJob[], folders: readonly FolderJob[] = []): Promise<void> {
    const run = new FetchRun(
      {
        calls: {
          fetch: (request, options) => this.fetch(request, options),
          fetchFolder: (request) => {
            this.folderRequests.push(request);
            if (this.isAmbiguous && request.hostnames === undefined)
              return Promise.reject(new PeershelfError('AMBIGUOUS_FOLDER', 'several'));
            return Promise.resolve({ ...nothing(), ...this.folder });
          },
        },
        logger: nullLogger,
        hasUnsavedChanges: (path) => this.unsaved.has(path),
        decide: (conflict) => {
          this.asked.push(conflict);
          return Promise.resolve(this.answers.shift());
        },
        chooseOwner: (name) => {
          const hostname = this.owners.shift();
          return Promise.resolve(hostname === undefined ? undefined : { name, hostname });
        },
        chooseFolderOwners: (prefix) => {
          this.askedFolders.push(prefix);
          return Promise.resolve(this.folderOwners);
        },
        allowRisky: (risky) => {
          this.risky = risky;
          this.riskyQuestions += 1;
          return Promise.resolve(this.allowsRisky);
        },
      },
      this.outcome,
      {
        signal: this.controller.signal,
        onProgress: ({ bytes, totalBytes }) => this.progress.push([bytes, totalBytes]),
      },
    );
    return run.run(jobs, folders);
  }

  get counts(): number[] {
    const { fetched, alreadyThere, skipped, cancelled, failed } = this.outcome;
    return [fetched, alreadyThere, skipped, cancelled, failed];
  }

  /** What was asked for besides the first attempts. */
  get decided(): [string, string][] {
    return this.requests
      .filter(({ ifExists }) => ifExists !== 'fail')
      .map(({ name, ifExists }) => [name, ifExists]);
  }

  private fetch(request: FetchRequest, options: FetchOptions = {}): Promise<FetchResult> {
    this.requests.push(request);
    const { name, ifExists } = request;
    const code =
      this.failures.get(name) ??
      (ifExists === 'fail' && this.there.has(name) ? 'DESTINATION_EXISTS' : undefined);
    if (code !== undefined) return Promise.reject(new PeershelfError(code, code));
    options.onProgress?.({ bytes: 5, totalBytes: 10 });
    return Promise.resolve({ ...RESULT, path: request.destination });
  }
}

const RESULT: FetchResult = {
  ...{ outcome: 'fetched', path: '', sizeBytes: 10, durationMs: 1, hostname: 'bob' },
  ...{ displayName: 'Bob', changedSincePublished: false, receivedBytes: 10, keptBytes: 0 },
  sources: [],
};

function nothing(): FolderFetchResult {
  return {
    ...{ path: FOLDER.destination, files: 0, fetched: 0, alreadyThere: 0, sizeBytes: 0 },
    ...{ receivedBytes: 0, durationMs: 0, failedCount: 0, failed: [] },
  };
}

function job(name: string, ifExists: 'fail' | 'overwrite' = 'fail'): FetchJob {
  const destination = `/w/shared/${name}`;
  const place = { destination, folder: '/w', ifExists, risk: undefined };
  return { wish: { name, hostname: 'bob' }, owner: 'Bob', sizeBytes: 10, place };
}

const failed = (
  name: string,
  code: ErrorCode,
  details: Record<string, string> = {},
): FolderFetchResult['failed'][number] => ({
  name,
  error: toPlainError(new PeershelfError(code, code, { details })),
});

describe('one operation over several files', () => {
  it('goes on when some fail, and adds up the progress of all', async () => {
    const world = new World();
    world.failures.set('b', 'PEER_UNREACHABLE');
    await world.run(['a', 'b', 'c'].map((name) => job(name)));
    assert.deepEqual(world.counts, [2, 0, 0, 0, 1]);
    assert.deepEqual(
      world.outcome.failures.map(({ name, error }) => [name, error.code]),
      [['b', 'PEER_UNREACHABLE']],
    );
    assert.deepEqual(world.progress[0], [5, 30]);
    assert.deepEqual(world.progress.at(-1), [20, 30]);
  });

  it('asks about each file that is in the way, when the others are through', async () => {
    const world = new World();
    world.there = new Set(['a', 'c', 'd']);
    world.answers.push(
      { answer: 'overwrite', forAll: false },
      { answer: 'keepBoth', forAll: false },
      { answer: 'skip', forAll: false },
    );
    await world.run(['a', 'b', 'c', 'd'].map((name) => job(name)));
    assert.deepEqual(
      world.asked.map((conflict) => [conflict.job.wish.name, conflict.others]),
      [
        ['a', 2],
        ['c', 1],
        ['d', 0],
      ],
    );
    assert.deepEqual(world.decided, [
      ['a', 'overwrite'],
      ['c', 'keepBoth'],
    ]);
    assert.deepEqual(world.counts, [3, 0, 1, 0, 0]);
  });

  it('takes an answer for all that are left', async () => {
    const world = new World();
    world.there = new Set(['a', 'b', 'c']);
    world.answers.push({ answer: 'skip', forAll: false }, { answer: 'keepBoth', forAll: true });
    await world.run(['a', 'b', 'c'].map((name) => job(name)));
    assert.equal(world.asked.length, 2);
    assert.deepEqual(world.decided, [
      ['b', 'keepBoth'],
      ['c', 'keepBoth'],
    ]);
    assert.deepEqual(world.counts, [2, 0, 1, 0, 0]);
  });

  it('leaves all that is in the way when the question is closed', async () => {
    const world = new World();
    world.there = new Set(['a', 'b']);
    await world.run(['a', 'b', 'c'].map((name) => job(name)));
    assert.equal(world.asked.length, 1);
    assert.deepEqual(world.counts, [1, 0, 2, 0, 0]);
  });

  it('takes unsaved changes for something in the way, before anything is written', async () => {
    const world = new World();
    world.unsaved.add('/w/shared/a').add('/w/shared/b');
    await world.run([job('a'), job('b', 'overwrite'), job('c', 'overwrite')]);
    assert.deepEqual(
      world.asked.map(({ isUnsaved }) => isUnsaved),
      [true],
    );
    assert.deepEqual(
      world.requests.map(({ name }) => name),
      ['c'],
    );
    assert.deepEqual(world.counts, [1, 0, 2, 0, 0]);
  });

  it('ends as a whole: what has not begun is cancelled, and nothing is asked', async () => {
    const world = new World();
    world.there = new Set(['a']);
    world.controller.abort();
    await world.run(['a', 'b'].map((name) => job(name)));
    assert.deepEqual([world.requests, world.asked], [[], []]);
    assert.deepEqual(world.counts, [0, 0, 0, 2, 0]);
  });

  it('goes on when one of its transfers is cancelled alone', async () => {
    const world = new World();
    world.failures.set('a', 'CANCELLED');
    await world.run(['a', 'b'].map((name) => job(name)));
    assert.deepEqual(world.counts, [1, 0, 0, 1, 0]);
  });
});

describe('a folder as a part of an operation', () => {
  it('is counted with all that the engine has done', async () => {
    const world = new World();
    world.folder = {
      ...{ fetched: 5, alreadyThere: 2, failedCount: 1_002 },
      failed: [failed('docs/x', 'FILE_GONE')],
    };
    await world.run([job('a')], [FOLDER]);
    assert.deepEqual(world.counts, [6, 2, 0, 0, 1_002]);
    assert.equal(world.outcome.total, 1_010);
  });

  it('asks about what is in the way in it, at the places that its names mean', async () => {
    const world = new World();
    world.folder = {
      failedCount: 1,
      failed: [failed('docs/deep/a.txt', 'DESTINATION_EXISTS')],
    };
    world.answers.push({ answer: 'overwrite', forAll: false });
    await world.run([], [{ ...FOLDER, hostnames: ['bob'] }]);
    assert.deepEqual(world.requests, [
      {
        ...{ name: 'docs/deep/a.txt', hostname: 'bob', folder: '/w', ifExists: 'overwrite' },
        destination: join('/w/shared/docs/deep/a.txt'),
      },
    ]);
    assert.deepEqual(world.counts, [1, 0, 0, 0, 0]);
  });

  it('fetches the content that an answer was about, and no other', async () => {
    const world = new World();
    const contentId = `${'ab'.repeat(32)}-7`;
    const details = { contentId, hostname: 'alice', displayName: 'Alice' };
    world.folder = {
      failedCount: 2,
      failed: [
        failed('docs/a.txt', 'DESTINATION_EXISTS', details),
        failed('docs/package.json', 'RISKY_PLACE', details),
      ],
    };
    world.allowsRisky = true;
    world.answers.push({ answer: 'overwrite', forAll: false });
    await world.run([], [FOLDER]);
    assert.deepEqual(
      world.requests.map((request) => [request.name, request.contentId]),
      [
        ['docs/package.json', contentId],
        ['docs/a.txt', contentId],
      ],
    );
  });

  it('asks whose is meant where several offer different files, and takes no for an answer', async () => {
    const world = new World();
    const names = ['docs/a', 'docs/package.json', 'docs/c', 'docs/d'];
    world.folder = { failedCount: 4, failed: names.map((name) => failed(name, 'AMBIGUOUS_NAME')) };
    world.there.add('docs/a');
    world.owners.push('bob', 'carol');
    world.answers.push({ answer: 'keepBoth', forAll: false });
    await world.run([], [FOLDER]);
    assert.deepEqual(
      world.requests.map(({ name, hostname, ifExists }) => [name, hostname, ifExists]),
      [
        ['docs/a', 'bob', 'fail'],
        ['docs/a', 'bob', 'keepBoth'],
      ],
    );
    assert.deepEqual(
      world.risky.map(({ wish }) => wish.hostname),
      ['carol'],
    );
    assert.deepEqual(world.counts, [1, 0, 3, 0, 0]);
  });

  it('asks once about all that could make programs run', async () => {
    for (const allowsRisky of [false, true]) {
      const world = new World();
      world.allowsRisky = allowsRisky;
      const names = ['docs/package.json', 'docs/sub/Makefile'];
      world.folder = { failedCount: 2, failed: names.map((name) => failed(name, 'RISKY_PLACE')) };
      await world.run([], [{ ...FOLDER, guardedAs: 'shared/docs' }]);
      assert.deepEqual(
        world.risky.map(({ place }) => place.risk),
        ['shared/docs/package.json', 'shared/docs/sub/Makefile'],
      );
      assert.deepEqual(world.counts, allowsRisky ? [2, 0, 0, 0, 0] : [0, 0, 2, 0, 0]);
    }
  });

  it('asks one question about what is risky among files and in several folders', async () => {
    for (const allowsRisky of [false, true]) {
      const world = new World();
      world.allowsRisky = allowsRisky;
      world.folder = { failedCount: 1, failed: [failed('docs/Makefile', 'RISKY_PLACE')] };
      const one = job('package.json');
      const risky = { ...one, place: { ...one.place, risk: 'shared/package.json' } };
      await world.run([risky, job('a')], [FOLDER, { ...FOLDER, destination: '/w/other' }]);
      assert.equal(world.riskyQuestions, 1);
      assert.equal(world.risky.length, 3);
      assert.deepEqual(world.counts, allowsRisky ? [4, 0, 0, 0, 0] : [1, 0, 3, 0, 0]);
    }
  });

  it('asks whose folder is meant, and takes that of nobody else', async () => {
    for (const [owners, counts] of [
      [['bob'], [2, 0, 0, 0, 0]],
      [undefined, [0, 0, 1, 0, 0]],
    ] as const) {
      const world = new World();
      world.isAmbiguous = true;
      world.folderOwners = owners && [...owners];
      world.folder = { fetched: 2 };
      await world.run([], [FOLDER]);
      assert.deepEqual(world.askedFolders, ['docs/']);
      assert.deepEqual(world.folderRequests[1]?.hostnames, owners);
      assert.deepEqual(world.counts, counts);
    }
  });

  it('begins and asks nothing more when the session was left', async () => {
    const world = new World();
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`);
    world.there = new Set(['f0']);
    world.failures.set('f1', 'SESSION_CHANGED');
    await world.run(
      names.map((name) => job(name)),
      [FOLDER],
    );
    // Those that were under way at the same time.
    assert.ok(world.requests.length <= 16, `${world.requests.length} requests`);
    assert.deepEqual(world.asked, []);
    const [fetched = 0, alreadyThere, skipped, cancelled, failed] = world.counts;
    assert.deepEqual([alreadyThere, skipped, failed], [0, 0, 0]);
    assert.equal(fetched + (cancelled ?? 0), names.length + 1);
  });
});
