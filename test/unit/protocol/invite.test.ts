import { strict as assert } from 'node:assert';
import { createHash, createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { type PeershelfError } from '../../../src/common/errors';
import { signCharter } from '../../../src/protocol/charter';
import {
  checkExpiry,
  formatInvite,
  formatInviteLink,
  type Invite,
  parseInvite,
  signInvite,
} from '../../../src/protocol/invite';
import {
  MAX_INVITE_ADDRESSES,
  MAX_INVITE_CHARACTERS,
  MAX_INVITE_TEXT_CHARACTERS,
  MAX_OWNERS,
  MAX_SESSION_NAME_BYTES,
} from '../../../src/protocol/limits';
import { opaqueNameProblem } from '../../../src/protocol/names';
import { identityOf } from '../../../src/protocol/p256';
import { storedIdentity } from '../../support/identities';
import { throwsWith } from '../../support/rejectsWith';
import { newInvite, newKeyPair } from '../../support/teams';
import { TEAM_VECTOR } from '../../support/teamVector';

const ADDRESSES = [
  { host: '192.168.1.5', port: 9000 },
  { host: 'fd00::5', port: 9000 },
];
const OWNER = storedIdentity('alice');
/** As long as its signature is another one each time, so are its bytes. */
const VECTOR = `peershelf://join/${TEAM_VECTOR.invite}`;
const INVITE = parseInvite(VECTOR);

/** Bytes of an invite with the checksum that belongs to them. */
function sealed(content: Uint8Array): string {
  const checksum = createHash('sha256').update(content).digest().subarray(0, 4);
  return `peershelf://join/${Buffer.concat([content, checksum]).toString('base64url')}`;
}

const contentOf = (invite: Invite): Buffer =>
  Buffer.from(formatInvite(invite).split('/').at(-1) ?? '', 'base64url').subarray(0, -4);

function assertSameInvite(actual: Invite, expected: Invite): void {
  assert.ok(actual.team.key.equals(expected.team.key));
  assert.deepEqual(plain(actual), plain(expected));
}

const plain = ({ sessionName, addresses, fingerprint, team, ownerId, expiresMs }: Invite) => {
  const { id, charterNumber, epoch } = team;
  return { sessionName, addresses, fingerprint, id, charterNumber, epoch, ownerId, expiresMs };
};

describe('invite', () => {
  it('is read from the test vector, and written as it was', () => {
    const { teamId, teamKey, fingerprint } = TEAM_VECTOR;
    assert.deepEqual(plain(INVITE), {
      ...{
        sessionName: 'Lớp 10A',
        addresses: ADDRESSES,
        fingerprint,
        expiresMs: 1_900_000_000_000,
      },
      ...{ id: teamId, charterNumber: 0, epoch: 3, ownerId: teamId },
    });
    assert.equal(INVITE.team.key.export().toString('hex'), teamKey);
    assert.equal(formatInvite(INVITE), VECTOR);
    assert.equal(
      formatInviteLink(INVITE, 'vscode-insiders'),
      `vscode-insiders://peershelf.peershelf/join?invite=${TEAM_VECTOR.invite}`,
    );
    const again = newInvite({ ...INVITE, owner: OWNER });
    assert.deepEqual(again.signed.subarray(0, -64), INVITE.signed.subarray(0, -64));
  });

  it('counts only when an owner of its team has signed it', () => {
    const forged = Buffer.from(contentOf(INVITE));
    // The first byte of the team key, with a checksum that is right again.
    forged.set([forged.readUInt8(40) ^ 1], 40);
    throwsWith('INVITE_FORGED', () => parseInvite(sealed(forged)));
    const other = newInvite({ ...INVITE });
    assert.notEqual(other.team.id, INVITE.team.id, 'another key is another team');
    // Nobody can claim the team of another root key.
    const stolen = Buffer.concat([
      contentOf(INVITE).subarray(0, 34),
      contentOf(other).subarray(34),
    ]);
    throwsWith('INVITE_FORGED', () => parseInvite(sealed(stolen)));
  });

  it('may be signed by any owner of its charter, and carries that', () => {
    const [root, second, stranger] = [newKeyPair(), newKeyPair(), newKeyPair()];
    const owners = [root, second].map(({ publicKey }) => publicKey);
    const charter = signCharter({ number: 2, owners }, root.privateKey);
    const content = {
      ...{ ...INVITE, root: root.publicKey, charter },
      team: { charterNumber: 2, epoch: 4, key: INVITE.team.key },
    };
    const read = parseInvite(formatInvite(signInvite(content, second)));
    assert.equal(read.ownerId, identityOf(second.publicKey));
    assert.equal(read.team.id, identityOf(root.publicKey));
    assert.deepEqual([read.team.charterNumber, read.team.epoch], [2, 4]);
    throwsWith('INVALID_ARGUMENT', () => signInvite(content, stranger));
    const own = signCharter({ number: 2, owners }, stranger.privateKey);
    throwsWith('INVALID_ARGUMENT', () => signInvite({ ...content, charter: own }, second));
  });

  it('ends when it expires', () => {
    checkExpiry(INVITE, 1_899_999_999_999);
    throwsWith('INVITE_EXPIRED', () => checkExpiry(INVITE, 1_900_000_000_000));
    checkExpiry(newInvite(), Number.MAX_SAFE_INTEGER);
  });

  it('is read from either spelling with any text around it', () => {
    const [short, link] = [formatInvite(INVITE), formatInviteLink(INVITE, 'vscode')];
    const texts = [
      short,
      link,
      `\ufeff${short}\r\n`,
      `Install Peershelf, then open <${link}>.`,
      `[join](${link}), or run “Join Team Session…” and paste this`,
      `"${short}"`,
      `${short}?from=mail`,
      link.replace('=', '%3D'),
      link.replace('vscode://peershelf', 'VSCode://Peershelf'),
    ];
    for (const text of texts) assertSameInvite(parseInvite(text), INVITE);
  });

  it('comes back as it was made, whatever it says', () => {
    const text = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 60 })
      .filter(
        (name) =>
          name.trim() !== '' &&
          opaqueNameProblem(name) === undefined &&
          Buffer.byteLength(name) <= MAX_SESSION_NAME_BYTES,
      );
    const address = fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.integer({ min: 1, max: 65_535 }))
      .map(([host, port]) => ({ host, port }));
    const hex = (bytes: number) =>
      fc
        .uint8Array({ minLength: bytes, maxLength: bytes })
        .map((value) => Buffer.from(value).toString('hex'));
    const content = fc.record({
      sessionName: text,
      addresses: fc.array(address, { maxLength: 2 }),
      fingerprint: hex(32),
      team: fc.record({
        charterNumber: fc.constant(0),
        epoch: fc.integer({ min: 1, max: 0xffff_ffff }),
        key: hex(32).map((value) => createSecretKey(value, 'hex')),
      }),
    });
    fc.assert(
      fc.property(content, (value) => {
        const invite = newInvite({ owner: OWNER, ...value });
        assertSameInvite(parseInvite(formatInvite(invite)), invite);
        assertSameInvite(parseInvite(formatInviteLink(invite, 'vscode')), invite);
      }),
    );
  });

  it('is known as damaged when a letter is missing, changed or too much', () => {
    const whole = formatInvite(INVITE);
    const start = whole.lastIndexOf('/') + 1;
    for (let length = start; length < whole.length; length += 1)
      throwsWith('INVITE_DAMAGED', () => parseInvite(whole.slice(0, length)));
    for (let index = start; index < whole.length - 1; index += 1) {
      const other = whole[index] === 'A' ? 'B' : 'A';
      const text = `${whole.slice(0, index)}${other}${whole.slice(index + 1)}`;
      throwsWith('INVITE_DAMAGED', () => parseInvite(text));
    }
    throwsWith('INVITE_DAMAGED', () => parseInvite(`${whole}AAAA`));
  });

  it('is known as damaged when it says what no invite says', () => {
    const content = contentOf(INVITE);
    const nameAt = 1 + 33 + 1 + 1 + 4 + 32 + 32;
    const changed = (at: number, ...bytes: number[]): Buffer => {
      const copy = Buffer.from(content);
      copy.set(bytes, at);
      return copy;
    };
    const countAt = nameAt + 1 + Buffer.byteLength(INVITE.sessionName) + 4 + 64;
    const wrong = {
      'nothing behind the version': content.subarray(0, 1),
      'a root key off the curve': changed(1, 9),
      'more owners than a team has': changed(34, 9),
      'a name longer than all': changed(nameAt, 255),
      'a control character': changed(nameAt + 1, 10),
      'no UTF-8': changed(nameAt + 1, 0xff),
      'an address less than it says': changed(countAt, 3),
      'an address more than it says': changed(countAt, 1),
      'too many addresses': changed(countAt, MAX_INVITE_ADDRESSES + 1),
      'an address without sense': changed(countAt + 2, 0x2f),
      'more behind the end': Buffer.concat([content, Buffer.from([0])]),
    };
    for (const [what, bytes] of Object.entries(wrong))
      throwsWith('INVITE_DAMAGED', () => parseInvite(sealed(bytes)), what);
    assert.doesNotThrow(() => parseInvite(sealed(content)));
  });

  it('of a later version is told apart from a damaged one', () => {
    throwsWith('INVITE_TOO_NEW', () => parseInvite(sealed(Buffer.from('\u0003whatever comes'))));
    throwsWith('INVITE_DAMAGED', () => parseInvite(sealed(Buffer.alloc(0)).slice(0, -1)));
  });

  it('is not found where there is none', () => {
    const link = formatInviteLink(INVITE, 'vscode');
    for (const text of [
      '',
      'peershelf',
      'https://example.com/join?invite=AAAA',
      link.replace('peershelf.peershelf', 'peershelf.other'),
      link.replace('/join', '/fetch'),
      `${' '.repeat(MAX_INVITE_TEXT_CHARACTERS)}${link}`,
    ])
      throwsWith('INVITE_NOT_FOUND', () => parseInvite(text), text);
    throwsWith('INVITE_DAMAGED', () =>
      parseInvite(`peershelf://join/${'A'.repeat(MAX_INVITE_CHARACTERS + 1)}`),
    );
  });

  it('is not made of what could not be read again', () => {
    const team = { charterNumber: 0, epoch: 1, key: createSecretKey(Buffer.alloc(16)) };
    const wrong = [
      { sessionName: '' },
      { sessionName: ' ' },
      { sessionName: 'a\nb' },
      { sessionName: 'a'.repeat(MAX_SESSION_NAME_BYTES + 1) },
      { fingerprint: 'A'.repeat(64) },
      { team },
      { team: { ...INVITE.team, charterNumber: 1 } },
    ];
    for (const part of wrong)
      throwsWith('INVALID_ARGUMENT', () => newInvite({ ...INVITE, ...part }));
    const far = newInvite({ addresses: [{ host: 'a'.repeat(255), port: 1 }] });
    throwsWith('INVALID_ARGUMENT', () => formatInvite(far));
  });

  it('as long as it may be fits into its limit, with as many addresses as there is room for', () => {
    const pairs = Array.from({ length: MAX_OWNERS }, () => newKeyPair());
    const [root] = pairs;
    assert.ok(root);
    const owners = pairs.map(({ publicKey }) => publicKey);
    const address = { host: '192.168.100.100', port: 65_535 };
    const longest = signInvite(
      {
        ...{ root: root.publicKey, charter: signCharter({ number: 1, owners }, root.privateKey) },
        ...{ sessionName: 'a'.repeat(MAX_SESSION_NAME_BYTES), fingerprint: INVITE.fingerprint },
        team: { charterNumber: 1, epoch: 0xffff_ffff, key: INVITE.team.key },
        addresses: Array.from({ length: MAX_INVITE_ADDRESSES }, () => address),
        expiresMs: 1,
      },
      root,
    );
    const text = formatInvite(longest);
    assert.ok(text.length - 'peershelf://join/'.length <= MAX_INVITE_CHARACTERS);
    assert.deepEqual(parseInvite(text).addresses, [address]);
    const short = newInvite({ addresses: longest.addresses });
    assert.equal(parseInvite(formatInvite(short)).addresses.length, MAX_INVITE_ADDRESSES);
  });

  it('shows no key when it is printed, and none in an error', () => {
    const { teamKey } = TEAM_VECTOR;
    const secrets = [teamKey, Buffer.from(teamKey, 'hex').toString('base64url').slice(2, -2)];
    const shown = [inspect(INVITE, { depth: 9 }), JSON.stringify(INVITE)];
    for (const text of [formatInvite(INVITE).slice(0, -2), `${formatInvite(INVITE)}xx`])
      try {
        parseInvite(text);
      } catch (error) {
        shown.push(inspect(error, { depth: 9 }), JSON.stringify((error as PeershelfError).details));
      }
    assert.equal(shown.length, 6);
    for (const text of shown) for (const secret of secrets) assert.ok(!text.includes(secret), text);
  });
});
