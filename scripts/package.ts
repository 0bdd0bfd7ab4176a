// Packs the bundles into dist/peershelf.vsix, with what is in it and SHA-256 sums beside it. The same
// commit gives the same bytes.
import * as path from 'node:path';
import { REPOSITORY } from './host/paths';
import { commitTime, packExtension, writeBillOfMaterials, writeSums } from './host/release';

async function main(): Promise<void> {
  const [vsix, bill, sums] = ['peershelf.vsix', 'peershelf.cdx.json', 'SHA256SUMS'].map((name) =>
    path.join(REPOSITORY, 'dist', name),
  ) as [string, string, string];
  const timeS = await commitTime(REPOSITORY);
  await packExtension(REPOSITORY, vsix, timeS);
  await writeBillOfMaterials(REPOSITORY, bill, timeS);
  await writeSums(sums, [vsix, bill]);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
