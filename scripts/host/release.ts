import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { REPOSITORY } from './paths';

/** Parts of CycloneDX that are used here. */
interface Bill {
  serialNumber?: string;
  readonly metadata: { timestamp?: string; readonly component: { name: string } };
  components: {
    readonly 'bom-ref': string;
    readonly properties?: readonly { readonly name: string }[];
  }[];
  dependencies: { readonly ref: string; dependsOn: string[] }[];
}

/** Mark by which npm tells packages of development. */
const DEVELOPMENT = 'cdx:npm:package:development';

const run = promisify(execFile);
const VSCE = path.join(REPOSITORY, 'node_modules/@vscode/vsce/vsce');

/** Without a commit: the first time that a zip file can say. */
const FIRST_OF_ZIP_S = 315_532_800;
/** A list of all packages is some hundred kilobytes. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** When the commit that is packed was made, in seconds: whatever is packed from it says this time. */
export async function commitTime(repository: string): Promise<number> {
  try {
    const { stdout } = await run('git', ['log', '-1', '--format=%ct'], { cwd: repository });
    return Number(stdout.trim());
  } catch {
    return FIRST_OF_ZIP_S; // No clone, such as a downloaded archive.
  }
}

/**
 * Packs the bundles of a repository, as users get them. The same files give the same bytes: times and
 * the order of files are not taken from the disk, nor times from the zone of the computer.
 */
export async function packExtension(
  repository: string,
  vsix: string,
  timeS = FIRST_OF_ZIP_S,
): Promise<void> {
  const args = [
    ...['package', '--no-dependencies', '--allow-missing-repository'],
    ...['--no-rewrite-relative-links', '--out', vsix],
  ];
  const env = { ...process.env, SOURCE_DATE_EPOCH: `${timeS}`, TZ: 'UTC' };
  await run(process.execPath, [VSCE, ...args], { cwd: repository, env });
}

/** The packages that are bundled, as CycloneDX: what npm says, without what differs each time. */
export async function writeBillOfMaterials(
  repository: string,
  file: string,
  timeS: number,
): Promise<void> {
  const isWindows = process.platform === 'win32';
  const { stdout } = await run(
    isWindows ? 'npm.cmd' : 'npm',
    ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'],
    { cwd: repository, maxBuffer: MAX_OUTPUT_BYTES, shell: isWindows },
  );
  const manifest = await readFile(path.join(repository, 'package.json'), 'utf8');
  const { name } = JSON.parse(manifest) as { name: string };
  await writeFile(file, withoutChance(stdout, { name, timeS }));
}

/**
 * The time is that of the commit, the name not that of the folder, and the serial number is made of the
 * content.
 */
function withoutChance(
  text: string,
  { name, timeS }: { readonly name: string; readonly timeS: number },
): string {
  const bill = JSON.parse(text) as Bill;
  keepShipped(bill);
  delete bill.serialNumber;
  bill.metadata.component.name = name;
  bill.metadata.timestamp = new Date(timeS * 1_000).toISOString();
  const hash = createHash('sha256').update(JSON.stringify(bill)).digest('hex');
  // A UUID of version 8: what it is made of is its maker's business.
  const uuid = [
    ...[hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`],
    hash.slice(20, 32),
  ].join('-');
  return `${JSON.stringify({ ...bill, serialNumber: `urn:uuid:${uuid}` }, undefined, 2)}\n`;
}

/**
 * Leaves out what only development needs. `--omit dev` of npm also leaves out a package that is shipped
 * when development needs another version of it.
 */
function keepShipped(bill: Bill): void {
  bill.components = bill.components.filter(
    ({ properties = [] }) => !properties.some(({ name }) => name === DEVELOPMENT),
  );
  const gone = new Set(bill.dependencies.map(({ ref }) => ref));
  for (const component of bill.components) gone.delete(component['bom-ref']);
  const [root] = bill.dependencies;
  if (root !== undefined) gone.delete(root.ref);
  bill.dependencies = bill.dependencies.filter(({ ref }) => !gone.has(ref));
  for (const one of bill.dependencies)
    one.dependsOn = one.dependsOn.filter((ref) => !gone.has(ref));
}

/** As `sha256sum` writes and checks them. */
export async function writeSums(file: string, files: readonly string[]): Promise<void> {
  const lines = await Promise.all(
    files.map(async (one) => {
      const sum = createHash('sha256')
        .update(await readFile(one))
        .digest('hex');
      return `${sum}  ${path.basename(one)}\n`;
    }),
  );
  await writeFile(file, lines.join(''));
}
