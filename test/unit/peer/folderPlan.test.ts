import { strict as assert } from 'node:assert';
import { planFolder } from '../../../src/peer/transfer/folder/folderPlan';
import type { ListedHost } from '../../../src/protocol/controlReplies';

describe('planFolder', () => {
  const offering = (index: number, size: number): [string, ListedHost] => [
    `h${index}`,
    {
      ...{
        displayName: `h${index}`,
        ip: '127.0.0.1',
        port: 6000,
        ageMs: 0,
        connectedAt: 0,
        lastSeen: 0,
      },
      ...{ awayMs: undefined, isBusy: false, isReachable: undefined, fingerprint: undefined },
      files: new Map([['dir/a', { size, modified: 1, publishedAt: 1, contentId: undefined }]]),
    },
  ];
  const wanted = { prefix: 'dir/', hostnames: undefined };

  it('keeps a bounded number of the sources that a tracker names', () => {
    const many = Array.from({ length: 50_000 }, (_, index) => offering(index, 1));
    const { files, ambiguous } = planFolder(new Map(many), wanted);
    assert.deepEqual(ambiguous, []);
    assert.equal(files.length, 1);
    assert.equal(files[0]?.sources.length, 64);
  });

  it('takes different content of one name for ambiguous, however late it is named', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => offering(index, index < 999 ? 1 : 2));
    const { files, ambiguous } = planFolder(new Map(many), wanted);
    assert.deepEqual(files, []);
    assert.deepEqual(ambiguous[0]?.details['hostnames'], [
      ...Array.from({ length: 64 }, (_, index) => `h${index}`),
      'h999',
    ]);
  });
});
