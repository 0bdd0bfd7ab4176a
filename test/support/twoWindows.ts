import { PeerWindows, type PeerOptions, type PeerWindow, type WindowsOptions } from './peerWindows';

export interface TwoWindowsOptions extends WindowsOptions {
  /** For both users. */
  both?: PeerOptions;
  alice?: PeerOptions;
  bob?: PeerOptions;
}

export interface TwoWindows {
  readonly alice: PeerWindow;
  readonly bob: PeerWindow;
  readonly windows: PeerWindows;
  close(): Promise<void>;
}

/** Opens two windows of two users, Alice and Bob, each with a workspace of its own. */
export async function openTwoWindows(options: TwoWindowsOptions = {}): Promise<TwoWindows> {
  const windows = await PeerWindows.start(options);
  const added = await Promise.allSettled([
    windows.add('Alice', merge('Alice', options.both, options.alice)),
    windows.add('Bob', merge('Bob', options.both, options.bob)),
  ]);
  const [alice, bob] = added;
  if (alice.status === 'rejected' || bob.status === 'rejected') {
    await windows.close();
    throw new Error('two windows could not be opened', {
      cause: added.find((result) => result.status === 'rejected')?.reason,
    });
  }
  return { alice: alice.value, bob: bob.value, windows, close: () => windows.close() };
}

function merge(name: string, both: PeerOptions = {}, own: PeerOptions = {}): PeerOptions {
  return {
    ...both,
    ...own,
    files: { ...both.files, ...own.files },
    env: { ...both.env, ...own.env },
    userSettings: { 'peershelf.displayName': name, ...both.userSettings, ...own.userSettings },
    machineSettings: { ...both.machineSettings, ...own.machineSettings },
  };
}
