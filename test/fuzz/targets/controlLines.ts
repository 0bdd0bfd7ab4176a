import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { parseControlRequest } from '../../../src/protocol/controlRequests';
import { leadingId, parseControlLine } from '../../../src/protocol/controlRequestsV2';
import { MAX_NAME_BYTES } from '../../../src/protocol/limits';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { anyText, anyValue, mutated } from '../mutation';

/** A name of its own length may stand in a reason, and little else. */
const MAX_REASON_LENGTH = MAX_NAME_BYTES + 256;

const ROOT = 'ab'.repeat(32);
const ENTRY = { name: 'a/b.txt', size: 5, modified: 1_500, root: ROOT, version: 2, seq: 3 };
const CREDENTIALS = {
  ...{ certificate: 'AAAA', proof: 'A'.repeat(86) },
  record: { text: '{}', signature: 'A'.repeat(86), mac: 'A'.repeat(43) },
};
const WHO = { hostname: 'alice' };

/** One of each request of each version, as an honest client writes it. */
const REQUESTS: readonly (readonly [action: string, data: object])[] = [
  ['HELLO', { versions: [1, 2], agent: 'x', token: 'A'.repeat(43) }],
  [
    'REGISTER',
    { ...WHO, port: 6000, ip: '10.0.0.1', display_name: 'A', files_metadata: { f: ENTRY } },
  ],
  ['REGISTER', { ...WHO, port: 6000, instance: 'w', counter: 1, files: [ENTRY, ENTRY] }],
  ['REGISTER', { ...WHO, port: 0, instance: 'w', counter: 2, files: [], ...CREDENTIALS }],
  ['PUBLISH', { ...WHO, fname: 'f', size: 1, modified: 1.5, published_at: 2 }],
  ['PUBLISH', { ...WHO, files: [ENTRY, { ...ENTRY, name: 'b', published_at: 7 }] }],
  ['UNPUBLISH', { ...WHO, fname: 'f' }],
  ['UNPUBLISH', { ...WHO, names: ['f', 'a/b.txt'] }],
  ['REQUEST', { fname: 'a/b.txt' }],
  ['DISCOVER', WHO],
  ['LIST', {}],
  ['PING', { ...WHO, state: 'busy', record: CREDENTIALS.record }],
  ['UNREGISTER', WHO],
  ['LOCATE', { ids: [`${ROOT}-5`, `${ROOT}-6`] }],
  ['toString', {}],
];
const MEMBERS = [...new Set(REQUESTS.flatMap(([, data]) => Object.keys(data)))];

/** Lines that are whole requests, with members of others or of nobody in them. */
function messages(): fc.Arbitrary<string> {
  const member = fc.tuple(fc.constantFrom(...MEMBERS, '__proto__'), anyValue());
  const entryMember = fc.tuple(fc.constantFrom(...Object.keys(ENTRY), 'published_at'), anyValue());
  const id = fc.oneof(
    fc.constant({}),
    fc.nat().map((value) => ({ id: value })),
    anyValue(),
  );
  return fc
    .tuple(
      ...[fc.constantFrom(...REQUESTS), fc.array(member, { maxLength: 2 })],
      ...[fc.array(entryMember, { maxLength: 2 }), id],
    )
    .map(([[action, data], members, entryMembers, prefix]) => {
      const entry = { ...ENTRY, ...Object.fromEntries(entryMembers) };
      const files =
        entryMembers.length === 0 ? {} : { files: [entry], files_metadata: { f: entry } };
      const full = { ...data, ...files, ...Object.fromEntries(members) };
      const first = isObject(prefix) ? (prefix as object) : { id: prefix };
      return JSON.stringify({ ...first, action, data: full });
    });
}

/** One line that looks like a request, or once did. It may hold line feeds. */
export function controlLine(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: messages() },
    { weight: 4, arbitrary: mutated(messages()) },
    { weight: 1, arbitrary: anyText() },
  );
}

/** Requests of both versions, as a tracker reads them: every line has an answer, of bounded length. */
export const controlLines: FuzzTarget = {
  name: 'control-lines',
  share: 30,
  property: () =>
    fc.property(controlLine(), (line) => {
      const isMessage = isObject(fromJson(line));
      for (const parse of [
        parseControlRequest,
        (text: string) => parseControlLine(text, 1),
        (text: string) => parseControlLine(text, 2),
      ]) {
        const parsed = orRefused([], () => parse(line))!;
        if ('reason' in parsed) assert.ok(parsed.reason.length <= MAX_REASON_LENGTH, parsed.reason);
        assert.equal(parsed.kind === 'malformed', !isMessage, line);
        // White space means nothing, so the fast way and the general one must agree.
        if (isMessage) assert.deepEqual(parse(line.replace('{', '{ ')), parsed);
      }
      const id = leadingId(line.slice(0, 100));
      if (typeof id === 'string') assert.ok(id.length <= 64);
    }),
};

function fromJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
