import { strict as assert } from 'node:assert';
import { PeershelfError } from '../../../src/common/errors';
import {
  formatHostPort,
  isAddressLiteral,
  isLoopback,
  parseHostPort,
  unmapIpv4,
} from '../../../src/protocol/address';

describe('addresses', () => {
  for (const text of [
    '1.2.3.4',
    '255.255.255.255',
    '0.0.0.0',
    '::',
    '::1',
    'fe80::1%eth0',
    '2001:db8::1',
    '::ffff:1.2.3.4',
  ])
    it(`takes ${text} for a literal`, () => assert.equal(isAddressLiteral(text), true));

  for (const text of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4.',
    ':::',
    '[::1]',
    'fe80::1%',
    'fe80::1%a%b',
    '::1/x',
    'g::1',
    '1.2.3.4:80',
  ])
    it(`takes ${JSON.stringify(text)} for no literal`, () =>
      assert.equal(isAddressLiteral(text), false));

  it('unmaps IPv4 addresses of IPv6 sockets and nothing else', () => {
    assert.equal(unmapIpv4('::ffff:127.0.0.1'), '127.0.0.1');
    assert.equal(unmapIpv4('::FFFF:10.1.2.3'), '10.1.2.3');
    assert.equal(unmapIpv4('::1'), '::1');
    assert.equal(unmapIpv4('10.1.2.3'), '10.1.2.3');
  });

  it('knows which addresses stay on this machine', () => {
    for (const text of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])
      assert.equal(isLoopback(text), true, text);
    for (const text of ['10.0.0.1', '0.0.0.0', '::', '127.example.org', '1270.0.0.1'])
      assert.equal(isLoopback(text), false, text);
  });

  const parsed: [string, { host: string; port: number }][] = [
    ['127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }],
    [' host.example:1 ', { host: 'host.example', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['[::1]', { host: '::1', port: 9000 }],
    ['fe80::1', { host: 'fe80::1', port: 9000 }],
    ['máy-tính', { host: 'máy-tính', port: 9000 }],
  ];
  for (const [text, expected] of parsed)
    it(`reads ${JSON.stringify(text)}`, () =>
      assert.deepEqual(parseHostPort(text, 9000), expected));

  for (const text of [
    '',
    ':',
    'a:',
    'a:0',
    'a:65536',
    'a b:1',
    'http://a:1',
    '[::1',
    '[a]:1',
    'a:1:2',
    '-a:1',
    '1.2.3.4/8',
  ])
    it(`does not read ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseHostPort(text, 9000),
        (error) => PeershelfError.is(error, 'INVALID_ADDRESS') && error.details['address'] === text,
      );
    });

  it('needs a port when there is no default', () => {
    assert.throws(() => parseHostPort('host'), PeershelfError);
  });

  it('writes what it reads', () => {
    for (const text of ['127.0.0.1:9000', '[::1]:9000', 'host:1'])
      assert.equal(formatHostPort(parseHostPort(text)), text);
  });

  it('takes nothing for an address that a URL would only clean up', () => {
    for (const text of ['\n0::', '::\t1', '::1\r', '::1/x', 'x@::1'])
      assert.equal(isAddressLiteral(text), false, JSON.stringify(text));
  });
});
