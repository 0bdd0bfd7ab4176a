// All checks in the order of their cost, and one closing line. `npm test` is this.
//   tsx scripts/test.ts [--also PART]... [--all]
// Parts beyond it: `rules` (of linters, slow ones), `oldest` (the oldest VS Code build), `windows`, `long`
// (all tests in their long form, generated input for a while). --all is everything.
import { parseArgs } from 'node:util';
import { spawnOwned } from './host/ownedProcess';

/**
 * A step that says nothing for this long hangs: the longest test ends after four minutes. How long
 * a step takes says nothing: machines are slow and busy, and the first run installs VS Code.
 */
const SILENCE_DEADLINE_MS = 6 * 60_000;

interface Step {
  readonly title: string;
  readonly script: string;
  readonly args?: readonly string[];
}

/** Steps of one group run side by side: none of them keeps more than one core busy. */
type Group = readonly Step[];

const ALWAYS: readonly Group[] = [
  [
    { title: 'lint', script: 'lint' },
    { title: 'types', script: 'types' },
  ],
  [{ title: 'unit tests', script: 'test:unit' }],
  [{ title: 'integration tests', script: 'test:integration' }],
  [{ title: 'tests in VS Code', script: 'test:extension', args: ['--build', 'newest'] }],
];

const FURTHER = {
  oldest: [
    { title: 'tests in the oldest VS Code', script: 'test:extension', args: ['--build', 'oldest'] },
  ],
  windows: [{ title: 'tests on Windows', script: 'test:windows' }],
  rules: [{ title: 'rules with types that oxlint lacks', script: 'lint:types' }],
  long: [
    {
      title: 'all tests in the oldest VS Code',
      script: 'test:extension',
      args: ['--build', 'oldest', '--all'],
    },
    { title: 'generated input', script: 'fuzz', args: ['--cases', '1000000'] },
  ],
} as const satisfies Record<string, Group>;

/** Parts that --all adds; `long` includes the whole oldest VS Code. */
const ALL: readonly FurtherPart[] = ['rules', 'windows', 'long'];

type FurtherPart = keyof typeof FURTHER;

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

function isFurther(name: string): name is FurtherPart {
  return name in FURTHER;
}

function readGroups(): readonly Group[] {
  const { values } = parseArgs({
    options: { also: { type: 'string', multiple: true, default: [] }, all: { type: 'boolean' } },
  });
  if (!values.also.every(isFurther))
    throw new Error(`usage: [--also ${Object.keys(FURTHER).join('|')}]... [--all]`);
  const parts = values.all === true ? ALL : values.also;
  if (parts.includes('long')) process.env['PEERSHELF_TEST_LONG'] = '1';
  return [...ALWAYS, ...parts.flatMap((part) => FURTHER[part].map((step) => [step]))];
}

/** The counts that a suite printed, by mocha or by ours; undefined when it printed none. */
function readCounts(output: string): Counts | undefined {
  const own = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gmu)].at(-1);
  if (own !== undefined) return { passed: Number(own[1]), failed: Number(own[2]) };
  const passing = [...output.matchAll(/^ +(\d+) passing/gmu)].at(-1);
  const failing = [...output.matchAll(/^ +(\d+) failing/gmu)].at(-1);
  if (passing === undefined && failing === undefined) return undefined;
  return { passed: Number(passing?.[1] ?? 0), failed: Number(failing?.[1] ?? 0) };
}

/** Runs one script, showing what it prints. A step that fails without a failed test counts as one. */
async function run({ title, script, args = [] }: Step): Promise<Counts> {
  const startMs = performance.now();
  const { child, stop } = spawnOwned('npm', ['run', '--silent', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  });
  const deadline = setTimeout(() => {
    console.log(`${title}: nothing for ${SILENCE_DEADLINE_MS / 60_000} minutes, ended`);
    void stop();
  }, SILENCE_DEADLINE_MS);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    deadline.refresh();
    process.stdout.write(text);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  clearTimeout(deadline);
  console.log(`${title}: ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  const counts = readCounts(output);
  const isSuite = script.startsWith('test:');
  if (isSuite && (counts === undefined || counts.passed === 0))
    return { passed: 0, failed: Math.max(1, counts?.failed ?? 1) };
  if (code === 0) return counts ?? { passed: 1, failed: 0 };
  return { passed: counts?.passed ?? 0, failed: Math.max(1, counts?.failed ?? 1) };
}

async function main(): Promise<void> {
  let passed = 0;
  let failed = 0;
  for (const group of readGroups()) {
    console.log(`\n=== ${group.map(({ title }) => title).join(', ')}`);
    for (const counts of await Promise.all(group.map(run))) {
      passed += counts.passed;
      failed += counts.failed;
    }
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

void main();
