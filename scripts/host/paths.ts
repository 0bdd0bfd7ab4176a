import * as path from 'node:path';

/** The folder that holds `package.json`. */
export const REPOSITORY = path.resolve(__dirname, '../..');

/** Everything that is fetched on first use lives here; git and the packager ignore it. */
export const CACHE = path.join(REPOSITORY, '.vscode-test');

/** Where tests that drive a window leave pictures when they fail. */
export const FAILURES = path.join(REPOSITORY, 'dist-test', 'failures');

/** Where tests leave pictures for somebody to look at. */
export const PICTURES = path.join(REPOSITORY, 'dist-test', 'pictures');

/** Takes one line that tells a person what is going on. */
export type Log = (line: string) => void;
