// Builds the bundles that docs/ARCHITECTURE.md lists and prints their sizes.
//   node esbuild.mjs [--production] [--watch] [--tests]
import { statSync } from 'node:fs';
import esbuild from 'esbuild';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const tests = process.argv.includes('--tests');

/**
 * Each `import * as vscode` would make a copy of the editor's whole API, property by property: with
 * some fifty files that is half of the time that loading takes. This way they have one in common.
 */
const oneApi = {
  name: 'one-api',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vscode$/ }, ({ namespace }) =>
      namespace === 'one-api' ? { external: true } : { path: 'vscode', namespace: 'one-api' },
    );
    onLoad({ filter: /.*/, namespace: 'one-api' }, () => ({
      contents: `export * from 'vscode';`,
    }));
  },
};

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  plugins: [oneApi],
  minify: production,
  sourcemap: !production,
  keepNames: true,
  legalComments: 'none',
  // The tasks of the editor wait for what is told while watching.
  logLevel: watch ? 'info' : 'warning',
};

const programs = {
  extension: 'src/extension.ts',
  engine: 'src/peer/engineWorker.ts',
  tracker: 'src/tracker/main.ts',
  cli: 'src/cli/main.ts',
  hashWorker: 'src/peer/hash/hashWorker.ts',
  makeIdentity: 'src/peer/identity/makeIdentity.ts',
};

const options = tests
  ? {
      ...common,
      entryPoints: { suite: 'test/extension/suite/index.ts' },
      outdir: 'dist-test/extension',
      external: ['mocha'],
    }
  : { ...common, entryPoints: programs, outdir: 'dist', metafile: true };

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
  if (!tests)
    for (const name of Object.keys(programs))
      console.log(`dist/${name}.js ${(statSync(`dist/${name}.js`).size / 1024).toFixed(0)} KiB`);
}
