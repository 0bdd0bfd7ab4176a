import { PeershelfError } from '../common/errors';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const IPV4_MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/iu;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/u;
const HOST_NAME = /^(?=.{1,253}$)[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?\.?$/u;

/** An IPv4 address that arrived on an IPv6 socket, as plain IPv4; anything else as it is. */
export function unmapIpv4(address: string): string {
  return IPV4_MAPPED.exec(address)?.[1] ?? address;
}

/** Whether `text` is an IPv4 or IPv6 address (a zone such as `%eth0` may follow) and no name. */
export function isAddressLiteral(text: string): boolean {
  return IPV4.test(text) || isIpv6(text);
}

function isIpv6(text: string): boolean {
  const [address, zone, ...more] = text.split('%');
  if (address === undefined || zone === '' || more.length > 0) return false;
  // Before URL reads it, which drops line feeds and tabs.
  if (!address.includes(':') || !/^[\da-f:.]+$/iu.test(address)) return false;
  if (zone !== undefined && !/^[\w.-]{1,32}$/u.test(zone)) return false;
  try {
    return new URL(`http://[${address}]/`).hostname.startsWith('[');
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Whether packets to `address` stay on this machine. */
export function isLoopback(address: string): boolean {
  const plain = unmapIpv4(address);
  return plain === 'localhost' || plain === '::1' || (IPV4.test(plain) && plain.startsWith('127.'));
}

/**
 * Reads `host:port`, `[v6]:port`, `host`, or a bare IPv6 address.
 * @throws INVALID_ADDRESS when it is none of these, or has no port and `defaultPort` is not given.
 */
export function parseHostPort(text: string, defaultPort?: number): HostPort {
  const trimmed = text.trim();
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/u.exec(trimmed);
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/u.exec(trimmed);
  const match = bracketed ?? plain;
  const host = match?.[1] ?? (isIpv6(trimmed) ? trimmed : undefined);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  const hostIsValid =
    host !== undefined &&
    (bracketed ? isIpv6(host) : isAddressLiteral(host) || HOST_NAME.test(host));
  if (!hostIsValid || port === undefined || port < 1 || port > 65_535)
    throw new PeershelfError('INVALID_ADDRESS', `${JSON.stringify(text)} is no HOST:PORT`, {
      details: { address: text },
    });
  return { host, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
