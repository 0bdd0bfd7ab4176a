import { networkInterfaces } from 'node:os';
import { isLoopback } from '../../protocol/address';
import { MAX_INVITE_ADDRESSES } from '../../protocol/limits';

const LISTENS_EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Where others may reach what listens on an address of this machine: that address, or for one that
 * means all of them, those of its networks, IPv4 first.
 */
export function reachableAddresses(host: string): string[] {
  if (!LISTENS_EVERYWHERE.has(host)) return [host];
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.filter(
    ({ internal, address, family }) =>
      // An address of one link only means nothing on another machine.
      !internal && !isLoopback(address) && !(family === 'IPv6' && address.startsWith('fe80')),
  );
  const byFamily = (family: string): string[] =>
    outer.filter((one) => one.family === family).map(({ address }) => address);
  const found = [...byFamily('IPv4'), ...(host === '::' ? byFamily('IPv6') : [])];
  return found.length === 0 ? ['127.0.0.1'] : found.slice(0, MAX_INVITE_ADDRESSES);
}
