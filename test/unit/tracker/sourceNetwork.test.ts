import { strict as assert } from 'node:assert';
import { sourceNetwork } from '../../../src/tracker/sourceNetwork';

describe('sourceNetwork', () => {
  const same = (...addresses: string[]): void => {
    assert.equal(new Set(addresses.map(sourceNetwork)).size, 1, addresses.join(' '));
  };
  const differ = (...addresses: string[]): void => {
    assert.equal(new Set(addresses.map(sourceNetwork)).size, addresses.length);
  };

  it('is the address itself for IPv4, mapped into IPv6 or not', () => {
    assert.equal(sourceNetwork('192.168.1.5'), '192.168.1.5');
    same('192.168.1.5', '::ffff:192.168.1.5');
    differ('192.168.1.5', '192.168.1.6');
  });

  it('is one for all addresses of a network of IPv6', () => {
    same('2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:ffff:ffff:ffff:ffff');
    same('2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3::');
    differ('2001:db8:1:2::1', '2001:db8:1:3::1', '2001:db8:2:2::1');
  });

  it('knows where the zeros of a short form stand', () => {
    same('2001:db8::1', '2001:db8:0:0::2', '2001:db8:0:0:5::');
    same('::1', '::2', '0:0:0:0:5::');
    differ('2001:db8::1', '2001:db8:0:1::1', '::2001:db8:0:0:0');
    same('1::', '1::8', '1:0:0:0:8::');
    same('fe80::1', 'fe80::1:2:3:4');
  });

  it('is one for connections without an address', () => {
    assert.equal(sourceNetwork(undefined), '');
  });
});
