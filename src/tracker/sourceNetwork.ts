import { isIPv6 } from 'node:net';
import { unmapIpv4 } from '../protocol/address';

/** Groups of 16 bits that IPv6 gives to the network: one machine has all addresses behind them. */
const NETWORK_GROUPS = 4;
const ALL_GROUPS = 8;

/** Whom a connection is counted for: an IPv4 address, or the network of 64 bits of an IPv6 address. */
export function sourceNetwork(remoteAddress: string | undefined): string {
  const address = unmapIpv4(remoteAddress ?? '');
  if (!isIPv6(address)) return address;
  const [front = '', back] = address.split('::');
  const groups = front === '' ? [] : front.split(':');
  const missing = back === undefined ? 0 : ALL_GROUPS - groups.length - countOf(back);
  const zeros = Array.from({ length: missing }, () => '0');
  const whole = [...groups, ...zeros, ...(back === undefined ? [] : back.split(':'))];
  return `${whole.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

function countOf(groups: string): number {
  return groups === '' ? 0 : groups.split(':').length;
}
