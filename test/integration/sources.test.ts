import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { PeerDependencies } from '../../src/peer/peer';
import { useCleanup } from '../support/cleanup';
import {
  assertWhole,
  download,
  type DownloadSetup,
  serveAll,
  setUpDownload,
} from '../support/contentDownloads';
import { FakeClock, passTime, watch } from '../support/fakeClock';
import { hashBytes } from '../support/hashFiles';
import { startHostileTracker } from '../support/hostileTracker';
import { hurriedClock } from '../support/hurriedClock';
import type { Behaviour, ObjectServer, ObjectServerOptions } from '../support/objectServer';
import { rejectsWith } from '../support/rejectsWith';
import { startPeer, type TestPeer } from '../support/startPeer';

const MIB = 1024 * 1024;
/** Rests are over soon, a stall comes as late as always. */
const hurried = { clock: hurriedClock(10), stallMs: 100_000 };
const RELIEF_STEP_MS = 10;

describe('the choice of sources', () => {
  const cleanup = useCleanup();
  const setup = (): DownloadSetup => setUpDownload(cleanup);
  const serve = (bytes: Buffer, ...options: ObjectServerOptions[]): Promise<ObjectServer[]> =>
    serveAll(cleanup, bytes, options);

  /** Sends what was asked for at a rate, a tenth of a second at once. */
  const slowly =
    (bytes: Buffer, bytesPerSecond: number): Behaviour =>
    (request, response) => {
      const [, first = '0', last = '0'] = /(\d+)-(\d+)/u.exec(request.headers.range ?? '') ?? [];
      let position = Number(first);
      const end = Number(last) + 1;
      const { contentId } = hashBytes(bytes);
      response.writeHead(206, {
        'content-range': `bytes ${first}-${last}/${bytes.length}`,
        'content-length': String(end - position),
        etag: `"${contentId.root}-${contentId.sizeBytes}"`,
      });
      const timer = setInterval(() => {
        const next = Math.min(end, position + bytesPerSecond / 10);
        response.write(bytes.subarray(position, next));
        position = next;
        if (position < end) return;
        clearInterval(timer);
        response.end();
      }, 100);
      request.socket.on('close', () => clearInterval(timer));
      return true;
    };

  it('does not come back to a source that has sent a wrong piece, however often it is named', async () => {
    const at = setup();
    const bytes = randomBytes(4 * MIB);
    const wrong = (data: Buffer): Buffer => Buffer.alloc(data.length);
    const [bad, silent, good] = await serve(bytes, { tamper: wrong }, { behave: () => true }, {});
    assert.ok(bad && silent && good);
    let looks = 0;
    let asked = 0;
    await download(at, bytes, [bad.source, silent.source], {
      ...hurried,
      findSources: () => {
        looks += 1;
        if (looks === 1) asked = bad.ranges.length;
        // The good one is found only after the bad one was named again, and again.
        return Promise.resolve(looks < 4 ? [bad.source] : [bad.source, good.source]);
      },
    });
    assertWhole(at, bytes);
    assert.ok(looks >= 4 && asked > 0);
    assert.equal(bad.ranges.length, asked, 'it was asked no more');
  });

  it('takes most from the fastest source, whatever the order in which they are named', async () => {
    const at = setup();
    const bytes = randomBytes(48 * MIB);
    const [slow, fast] = await serve(bytes, { behave: slowly(bytes, MIB / 2) }, {});
    assert.ok(slow && fast);
    await download(at, bytes, [slow.source, fast.source], { stallMs: 10_000 });
    assertWhole(at, bytes);
    assert.ok(fast.sentBytes() >= 0.8 * bytes.length, `${fast.sentBytes()} bytes`);
  });

  describe('of piece hashes', () => {
    const bytes = randomBytes(9 * MIB + 3);
    const { contentId } = hashBytes(bytes);

    /** A peer to whom a tracker names these sources, in this order, for `file`. */
    async function startBob(
      sources: readonly ObjectServer[],
      dependencies: Pick<PeerDependencies, 'clock' | 'stallMs'> = hurried,
    ): Promise<TestPeer> {
      const tracker = await startHostileTracker(cleanup);
      const hosts = sources.map(({ source: { hostname, host: ip, port } }) => ({
        ...{ hostname, ip, port, name: 'file', modified: 1 },
        ...{ size: contentId.sizeBytes, root: contentId.root },
      }));
      tracker.requested.set('file', JSON.stringify(hosts));
      return startPeer(cleanup, { tracker: tracker.address, dependencies });
    }
    const fetch = (bob: TestPeer): Promise<unknown> =>
      bob.peer.fetch({ name: 'file', destination: bob.path('into/file'), ifExists: 'fail' });
    const isLayer = ({ url = '' }: { url?: string | undefined }): boolean =>
      url.startsWith('/v2/layers/');

    const cases: Record<string, { code: string; options: ObjectServerOptions }> = {
      'with right bytes but wrong hashes': {
        code: 'CONTENT_MISMATCH',
        options: { tamperLayer: (layer) => randomBytes(layer.length) },
      },
      'with too few hashes': {
        code: 'CONTENT_MISMATCH',
        options: { tamperLayer: (layer) => layer.subarray(32) },
      },
      'with too many hashes': {
        code: 'CONTENT_MISMATCH',
        options: { tamperLayer: (layer) => Buffer.concat([layer, layer]) },
      },
      'that sends hashes without end': {
        code: 'CONTENT_MISMATCH',
        options: {
          behave: (request, response) => {
            if (!isLayer(request)) return false;
            const more = (): void => {
              if (!response.destroyed) response.write(bytes, () => setImmediate(more));
            };
            more();
            return true;
          },
        },
      },
      'that sends a byte now and then': {
        code: 'STALLED',
        options: {
          behave: (request, response) => {
            if (!isLayer(request)) return false;
            const drip = setInterval(() => response.write('x'), 50);
            request.socket.on('close', () => clearInterval(drip));
            return true;
          },
        },
      },
      'that says nothing': { code: 'STALLED', options: { behave: () => true } },
      'that sends them compressed': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            if (isLayer(request)) response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
            return isLayer(request);
          },
        },
      },
      'that sends them from elsewhere': {
        code: 'INVALID_MESSAGE',
        options: {
          behave: (request, response) => {
            if (isLayer(request)) response.writeHead(302, { location: request.url }).end();
            return isLayer(request);
          },
        },
      },
    };
    for (const [what, { code, options }] of Object.entries(cases))
      it(`passes over one ${what}, and is an error when there is no other`, async () => {
        let isGivenUp = false;
        const behave: Behaviour = (request, response) => {
          request.socket.once('close', () => (isGivenUp = true));
          return options.behave?.(request, response) ?? false;
        };
        const [bad, good] = await serve(bytes, { ...options, behave }, {});
        assert.ok(bad && good);
        const clock = new FakeClock();
        const time = code === 'STALLED' ? { clock } : hurried;
        const bob = await startBob([bad, good], time);
        const fetching = watch(fetch(bob));
        if (code === 'STALLED') {
          await passTime(clock, 'the bad one is given up', () => isGivenUp);
          // Slowly: what the bad one is asked for next is taken over, and the good one needs its time.
          await passTime(clock, 'the file has come', fetching.isSettled, RELIEF_STEP_MS);
        }
        await fetching.promise;
        assert.ok(readFileSync(bob.path('into/file')).equals(bytes));

        const alone = await startBob([bad], time);
        const failing = watch(rejectsWith(code as never, fetch(alone)));
        if (code === 'STALLED') await passTime(clock, 'it is given up', failing.isSettled);
        const error = await failing.promise;
        assert.equal(error.details['hostname'], 'source-0');
        assert.deepEqual(readdirSync(alone.path('into')), []);
      });
  });
});
