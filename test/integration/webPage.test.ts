import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../../scripts/host/browser';
import { reachableAddresses } from '../../src/lan/ownAddresses';
import { useCleanup } from '../support/cleanup';
import { RawClient } from '../support/rawClient';
import { listen } from '../support/relay';
import { startServer } from '../support/startServer';
import { startTeam } from '../support/startTeam';
import { startTracker } from '../support/startTracker';
import { newMember, newProofKey, startTeamServer } from '../support/team';

const EVIL_PAGE = readFileSync(join(__dirname, '../fixtures/evilPage.html'));
const CONTENT = 'what no page may read';
const REGISTER = JSON.stringify({
  action: 'REGISTER',
  data: { hostname: 'evil', port: 6000, files_metadata: { evil: { size: 1, modified: 1 } } },
});
/** Time for a browser to be installed on first use. */
const BROWSER_MS = 300_000;

/** What a page has found out about one address; none of it may tell anything. */
interface Tried {
  readonly way: string;
  readonly result: string;
}

describe('a web page in a real browser', function () {
  this.timeout(60_000);
  const cleanup = useCleanup();
  let browser: Browser;
  let page: Page;

  before(async function () {
    this.timeout(BROWSER_MS);
    browser = await launchBrowser(() => undefined);
  });
  after(() => browser.close());

  beforeEach(async () => {
    const site = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end(EVIL_PAGE);
    });
    cleanup.add(() => site.close().closeAllConnections());
    // As a page whose visitor has waved every warning aside.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    cleanup.add(() => context.close());
    page = await context.newPage();
    await page.goto(`http://127.0.0.1:${await listen(site)}/`);
  });

  /** Calls a function of the page. */
  const inPage = (call: string, ...args: string[]): Promise<Tried[]> =>
    page.evaluate(`${call}(${args.map((arg) => JSON.stringify(arg)).join()})`);
  /** Says something to an address in every way that a page has. */
  const post = (url: string, body: string): Promise<Tried[]> => inPage('post', url, body);
  /** Reads an address in every way that a page has. */
  const read = (url: string): Promise<Tried[]> => inPage('read', url);

  const assertTellsNothing = (tried: readonly Tried[]): void => {
    for (const { way, result } of tried) {
      assert.equal(result.includes(CONTENT), false, way);
      assert.equal(/status|OK|not_a_member|code/u.test(result), false, `${way}: ${result}`);
    }
  };

  it('registers nothing with the tracker of an open session', async () => {
    const { tracker, address } = await startTracker(cleanup);
    for (const body of [REGISTER, `${REGISTER}\n`, `\n${REGISTER}\n${REGISTER}\n`])
      assertTellsNothing(await post(`http://127.0.0.1:${address.port}/`, body));
    const client = await RawClient.connect(cleanup, address);
    assert.deepEqual((await client.ask('LIST'))['registry'], {});
    assert.ok(tracker.connectionCount >= 1);
  });

  it('registers nothing with the tracker of a team, inside TLS or outside', async () => {
    const team = await startTeam(cleanup);
    for (const scheme of ['http', 'https'])
      assertTellsNothing(
        await post(`${scheme}://127.0.0.1:${team.address.port}/`, `${REGISTER}\n`),
      );
    await team.join();
    assert.equal(team.tracker.connectionCount, 1);
  });

  it('reads nothing from a peer of an open session, under whatever address', async () => {
    const server = await startServer(cleanup, { host: '0.0.0.0' });
    const { transfers, port } = server;
    const id = server.publish('a', CONTENT);
    const [outer = '127.0.0.1'] = reachableAddresses('0.0.0.0');
    for (const host of ['127.0.0.1', 'localhost', outer])
      for (const path of [`/v2/objects/${id}`, '/v2/entries/a', '/a', '/'])
        assertTellsNothing(await read(`http://${host}:${port}${path}`));
    assertTellsNothing(await post(`http://127.0.0.1:${port}/v2/batch`, `${id}\n`));
    assert.deepEqual(transfers.all(), [], 'no byte was sent');
  });

  it('reads nothing from a peer of a team, inside TLS or outside', async () => {
    const alice = await newMember(newProofKey());
    const server = await startTeamServer(cleanup, alice);
    const { transfers, port } = server;
    const id = server.publish('a', CONTENT);
    for (const scheme of ['http', 'https'])
      assertTellsNothing(await read(`${scheme}://127.0.0.1:${port}/v2/objects/${id}`));
    assert.deepEqual(transfers.all(), []);
  });

  it('is a real one: it can read what lets it', async () => {
    const heard: IncomingMessage[] = [];
    const open = createServer((request, response) => {
      heard.push(request);
      response.setHeader('Access-Control-Allow-Origin', '*').end(CONTENT);
    });
    cleanup.add(() => open.close().closeAllConnections());
    const [cors] = await read(`http://127.0.0.1:${await listen(open)}/`);
    assert.equal(cors?.result, `cors ${CONTENT}`);
    assert.ok(heard.length > 1);
  });
});
