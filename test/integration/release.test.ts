import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFile, utimes } from 'node:fs/promises';
import * as path from 'node:path';
import { packExtension, writeBillOfMaterials, writeSums } from '../../scripts/host/release';
import { REPOSITORY } from '../../scripts/host/paths';
import { useCleanup } from '../support/cleanup';
import { CONFUSABLES_VERSION } from '../../src/common/confusables';
import { copyForPackaging, runPackager } from '../support/packExtension';

const TIME_S = 1_700_000_000;

describe('a release', function () {
  this.timeout(240_000);
  const cleanup = useCleanup();

  it('has the same bytes whenever and wherever the same commit is packed', async () => {
    const packed = [];
    for (const number of [1, 2]) {
      const repository = await cleanup.temporaryFolder('peershelf-release-');
      await copyForPackaging(repository);
      await utimes(path.join(repository, 'README.md'), TIME_S * number, TIME_S * number);
      const vsix = path.join(repository, 'dist', 'out.vsix');
      await packExtension(repository, vsix, TIME_S);
      const bill = path.join(repository, 'dist', 'out.json');
      await writeBillOfMaterials(repository, bill, TIME_S);
      packed.push({ vsix: await readFile(vsix), bill: await readFile(bill, 'utf8') });
    }
    const [first, second] = packed;
    assert.ok(first && second);
    assert.ok(first.vsix.equals(second.vsix));
    assert.equal(first.bill, second.bill);
    const { bomFormat, components } = JSON.parse(first.bill) as {
      bomFormat: string;
      components: { name: string }[];
    };
    assert.equal(bomFormat, 'CycloneDX');
    const manifest = JSON.parse(await readFile(path.join(REPOSITORY, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const names = new Set(components.map(({ name }) => name));
    for (const name of Object.keys(manifest.dependencies)) assert.ok(names.has(name), name);
    for (const name of ['mocha', 'playwright-core']) assert.ok(!names.has(name), name);
  });

  it('brings the notice that the data of Unicode asks for', async () => {
    const repository = await cleanup.temporaryFolder('peershelf-notice-');
    await copyForPackaging(repository);
    const files = (await runPackager(repository, ['ls', '--no-dependencies'])).split('\n');
    assert.ok(files.includes('THIRD-PARTY-NOTICES.md'));
    const notice = await readFile(path.join(REPOSITORY, 'THIRD-PARTY-NOTICES.md'), 'utf8');
    assert.ok(notice.includes(`version ${CONFUSABLES_VERSION}`));
    assert.match(
      notice,
      /COPYRIGHT AND PERMISSION NOTICE\s+Copyright © 1991-\d{4} Unicode, Inc\./u,
    );
    // The first line of the table tells the bundles that have it.
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      const bundle = await readFile(path.join(REPOSITORY, file), 'utf8');
      const hasTable = /\\u0596 \\u05ad/iu.test(bundle);
      assert.equal(notice.includes(`\`${file}\``), hasTable, file);
    }
  });

  it('has sums that say which bytes are meant', async () => {
    const folder = await cleanup.temporaryFolder('peershelf-sums-');
    const sums = path.join(folder, 'SHA256SUMS');
    const file = path.join(REPOSITORY, 'package.json');
    await writeSums(sums, [file]);
    const sum = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
    assert.equal(await readFile(sums, 'utf8'), `${sum}  package.json\n`);
  });
});
