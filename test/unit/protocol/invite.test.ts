import { strict as assert } from 'node:assert';
import { createHash, createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { type PeershelfError } from '../../../src/common/errors';
import {
  formatInvite,
  formatInviteLink,
  type Invite,
  parseInvite,
} from '../../../src/protocol/invite';
import {
  MAX_INVITE_ADDRESSES,
  MAX_INVITE_CHARACTERS,
  MAX_INVITE_TEXT_CHARACTERS,
  MAX_SESSION_NAME_BYTES,
} from '../../../src/protocol/limits';
import { opaqueNameProblem } from '../../../src/protocol/names';
import { throwsWith } from '../../support/rejectsWith';
import { TEAM_VECTOR } from '../../support/teamVector';

const INVITE: Invite = {
  sessionName: 'Lớp 10A',
  addresses: [
    { host: '192.168.1.5', port: 9000 },
    { host: 'fd00::5', port: 9000 },
  ],
  fingerprint: TEAM_VECTOR.fingerprint,
  team: { id: TEAM_VECTOR.teamId, key: createSecretKey(TEAM_VECTOR.teamKey, 'hex') },
};

/** Bytes of an invite with the checksum that belongs to them. */
function sealed(content: Uint8Array): string {
  const checksum = createHash('sha256').update(content).digest().subarray(0, 4);
  return `peershelf://join/${Buffer.concat([content, checksum]).toString('base64url')}`;
}

const contentOf = (invite: Invite): Buffer =>
  Buffer.from(formatInvite(invite).split('/').at(-1) ?? '', 'base64url').subarray(0, -4);

function assertSameInvite(actual: Invite, expected: Invite): void {
  assert.ok(actual.team.key.equals(expected.team.key));
  const { team, ...rest } = actual;
  assert.deepEqual({ ...rest, id: team.id }, { ...plain(expected), id: expected.team.id });
}

const plain = ({ sessionName, addresses, fingerprint }: Invite) => ({
  sessionName,
  addresses: [...addresses],
  fingerprint,
});

describe('invite', () => {
  it('has the bytes of the test vector in both spellings', () => {
    assert.equal(formatInvite(INVITE), `peershelf://join/${TEAM_VECTOR.invite}`);
    assert.equal(
      formatInviteLink(INVITE, 'vscode-insiders'),
      `vscode-insiders://peershelf.peershelf/join?invite=${TEAM_VECTOR.invite}`,
    );
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
    const invite = fc.record({
      sessionName: text,
      addresses: fc.array(address, { minLength: 1, maxLength: MAX_INVITE_ADDRESSES }),
      fingerprint: hex(32),
      team: fc.record({
        id: hex(16),
        key: hex(32).map((value) => createSecretKey(value, 'hex')),
      }),
    });
    fc.assert(
      fc.property(invite, (value) => {
        assertSameInvite(parseInvite(formatInvite(value)), value);
        assertSameInvite(parseInvite(formatInviteLink(value, 'vscode')), value);
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
    const nameAt = 1 + 16 + 32 + 32;
    const changed = (at: number, ...bytes: number[]): Buffer => {
      const copy = Buffer.from(content);
      copy.set(bytes, at);
      return copy;
    };
    const countAt = nameAt + 1 + Buffer.byteLength(INVITE.sessionName);
    const wrong = {
      'nothing behind the version': content.subarray(0, 1),
      'a name longer than all': changed(nameAt, 255),
      'a control character': changed(nameAt + 1, 10),
      'no UTF-8': changed(nameAt + 1, 0xff),
      'no address': changed(countAt, 0),
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
    throwsWith('INVITE_TOO_NEW', () => parseInvite(sealed(Buffer.from('\u0002whatever comes'))));
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
    const address = { host: 'a', port: 1 };
    const wrong: Partial<Invite>[] = [
      { sessionName: '' },
      { sessionName: ' ' },
      { sessionName: 'a\nb' },
      { sessionName: 'a'.repeat(MAX_SESSION_NAME_BYTES + 1) },
      { addresses: [] },
      { addresses: Array.from({ length: MAX_INVITE_ADDRESSES + 1 }, () => address) },
      { addresses: [{ host: 'a'.repeat(255), port: 1 }] },
      { fingerprint: 'A'.repeat(64) },
      { team: { id: 'short', key: INVITE.team.key } },
      { team: { id: INVITE.team.id, key: createSecretKey(Buffer.alloc(16)) } },
    ];
    for (const part of wrong)
      throwsWith('INVALID_ARGUMENT', () => formatInvite({ ...INVITE, ...part }));
  });

  it('as long as it may be fits into its limit', () => {
    const longest = formatInvite({
      ...INVITE,
      sessionName: 'a'.repeat(MAX_SESSION_NAME_BYTES),
      addresses: Array.from({ length: MAX_INVITE_ADDRESSES }, () => ({
        host: `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}`,
        port: 65_535,
      })),
    });
    assert.ok(longest.length - 'peershelf://join/'.length <= MAX_INVITE_CHARACTERS);
    assert.doesNotThrow(() => parseInvite(longest));
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
