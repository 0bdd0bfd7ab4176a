import { strict as assert } from 'node:assert';
import { MAX_PAGES, NetworkRequests } from '../../../src/peer/control/networkRequests';

describe('listing a network', () => {
  /** Asks a tracker whose pages never end, and gives how many it was asked for. */
  const countPages = async (registry: (page: number) => object, files = false): Promise<number> => {
    let pages = 0;
    const requests = new NetworkRequests(
      {
        request: () => {
          pages += 1;
          assert.ok(pages <= MAX_PAGES, 'it would never come to an end');
          const cursor = `${pages}`;
          return Promise.resolve({ status: 'OK', registry: registry(pages), cursor });
        },
      },
      undefined,
      2_500,
    );
    await (files ? requests.search('a', 10) : requests.list());
    return pages;
  };
  const host = { addr: ['127.0.0.1', 6000], files: {} };

  it('ends when a tracker always has another page of hosts without files', async () => {
    assert.equal(await countPages((page) => ({ [`host ${page % 10}`]: host })), MAX_PAGES);
    assert.equal(await countPages(() => ({ same: host }), true), MAX_PAGES);
  });

  it('ends with as many hosts as are taken from one reply', async () => {
    const many = (page: number): object =>
      Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [`host ${page} ${index}`, host]),
      );
    assert.equal(await countPages(many), 5);
  });
});
