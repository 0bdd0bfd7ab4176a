import type { FileSelection } from '../../src/peer/peerApi';

/** Selections as the engine describes them, for what asks about them. */
export const ONE_FILE: FileSelection = {
  id: '1',
  files: 1,
  totalBytes: 1,
  names: [],
  secrets: 0,
  consented: 0,
  firstSecrets: [],
};

export const ONE_SECRET: FileSelection = {
  ...ONE_FILE,
  secrets: 1,
  firstSecrets: [{ name: '.env $(x)', kind: 'name' }],
};

export const SEVERAL_SECRETS: FileSelection = {
  ...ONE_FILE,
  files: 30,
  secrets: 21,
  firstSecrets: [
    { name: 'a.pem', kind: 'content' },
    { name: 'b.key', kind: 'name' },
  ],
};
