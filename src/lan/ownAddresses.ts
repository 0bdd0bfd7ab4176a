import { BlockList } from 'node:net';
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { isLoopback } from '../protocol/address';
import { MAX_ANNOUNCED_ADDRESSES, MAX_INVITE_ADDRESSES } from '../protocol/limits';

const LISTENS_EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * Where others may reach what listens on an address of this machine: that address, or for one that
 * means all of them, those of its networks, IPv4 first.
 */
export function reachableAddresses(host: string): string[] {
  if (!LISTENS_EVERYWHERE.has(host)) return [host];
  const outer = ownAddresses().filter(
    ({ internal, address, family }) =>
      // An address of one link only means nothing on another machine.
      !internal && !isLoopback(address) && !(family === 'IPv6' && address.startsWith('fe80')),
  );
  const byFamily = (family: string): string[] =>
    outer.filter((one) => one.family === family).map(({ address }) => address);
  const found = [...byFamily('IPv4'), ...(host === '::' ? byFamily('IPv6') : [])];
  return found.length === 0 ? ['127.0.0.1'] : found.slice(0, MAX_INVITE_ADDRESSES);
}

/** One IPv4 address of each network that this machine is in. */
export function networkAddresses(): string[] {
  const first = Object.values(networkInterfaces()).flatMap(
    (addresses = []) =>
      addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? [],
  );
  return first.slice(0, MAX_ANNOUNCED_ADDRESSES);
}

/** Those of `networkAddresses` at which others reach what listens on an IPv4 address, or on all. */
export function announcedAddresses(host: string): string[] {
  if (LISTENS_EVERYWHERE.has(host)) return networkAddresses();
  const isOuter = ownAddresses().some(
    ({ address, family, internal }) => address === host && family === 'IPv4' && !internal,
  );
  return isOuter ? [host] : [];
}

/** The IPv4 networks that this machine is in, itself included: who is in none of them is no neighbour. */
export function neighbourhood(): BlockList {
  const list = new BlockList();
  for (const { family, cidr, address } of ownAddresses()) {
    const bits = Number(cidr?.split('/')[1]);
    if (family === 'IPv4' && Number.isInteger(bits)) list.addSubnet(address, bits, 'ipv4');
  }
  return list;
}

function ownAddresses(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
}
