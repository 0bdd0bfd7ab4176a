import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_REASONS } from '../../../src/protocol/controlReasons';
import { CONTROL_ACTIONS } from '../../../src/protocol/controlRequests';
import { NEW_CONTROL_ACTIONS, parseControlLine } from '../../../src/protocol/controlRequestsV2';
import * as limits from '../../../src/protocol/limits';
import { TRANSFER_ERRORS } from '../../../src/protocol/transferV1';
import { PROBLEM_STATUS } from '../../../src/peer/transfer/serve/problems';
import { LIMIT_SPECS } from '../../../src/tracker/limits';
import {
  CHARTER_VECTOR,
  ENTRY_VECTOR,
  ENVELOPE_VECTOR,
  STATEMENT_VECTOR,
  TEAM_VECTOR,
} from '../../support/teamVector';

/** The formatter aligns columns: one space stands for any number of them. */
const DOCUMENT = readFileSync(join(__dirname, '../../../docs/PROTOCOL.md'), 'utf8').replace(
  / +/gu,
  ' ',
);

describe('docs/PROTOCOL.md', () => {
  const has = (text: string): void => assert.ok(DOCUMENT.includes(text), `it lacks ${text}`);

  it('has a section with an example for every action', () => {
    for (const action of CONTROL_ACTIONS) {
      has(`\n### ${action}\n`);
      has(`→ {"action":"${action}"`);
    }
  });

  it('has a section with an example for every action that version 2 changes', () => {
    for (const action of NEW_CONTROL_ACTIONS) {
      has(`\n### ${action}, version 2\n`);
      assert.match(DOCUMENT, new RegExp(`→ \\{"id":\\d+,"action":"${action}"`, 'u'));
    }
    for (const action of ['REQUEST', 'DISCOVER', 'LIST'])
      assert.match(DOCUMENT, new RegExp(`→ \\{"id":\\d+,"action":"${action}"`, 'u'));
    has('← {"event":"replaced"');
  });

  it('has examples of version 2 that mean what they say', () => {
    for (const [, line = ''] of DOCUMENT.matchAll(/^→ (\{"id".*)$/gmu)) {
      const parsed = parseControlLine(line, 2);
      assert.match(parsed.kind, /^(?:hello|statement|requestV2)$/u, line);
      if (parsed.kind === 'statement') assert.ok(parsed.request);
      if (parsed.kind === 'requestV2' && 'refused' in parsed.request)
        assert.deepEqual(parsed.request.refused, [], line);
    }
  });

  it('has examples that are JSON', () => {
    const lines = [...DOCUMENT.matchAll(/^[→←] (\{.*)$/gmu)].map(([, line = '']) => line);
    assert.ok(lines.length >= CONTROL_ACTIONS.length * 2);
    for (const line of lines) assert.doesNotThrow(() => JSON.parse(line) as unknown, line);
  });

  it('names every reason and whether to try again', () => {
    for (const reason of Object.values(CONTROL_REASONS)) has(`\n| \`${reason}\` |`);
    for (const error of TRANSFER_ERRORS) has(`\n| \`ERROR ${error}\` |`);
  });

  it('names every code of version 2 of transfer with its status', () => {
    for (const [code, status] of Object.entries(PROBLEM_STATUS))
      has(`\n| \`${code}\` | ${status} |`);
  });

  it('has every limit of the tracker with flag and default', () => {
    for (const { name, flag, defaultValue } of LIMIT_SPECS)
      has(`\n| \`${name}\` | \`${flag}\` | ${defaultValue.toLocaleString('en')} |`);
  });

  it('has every limit of the wire', () => {
    for (const name of Object.keys(limits)) has(`\n| \`${name}\` |`);
    has(`| \`MAX_NAME_BYTES\` | ${limits.MAX_NAME_BYTES.toLocaleString('en')} |`);
    const { idle, active, busy } = limits.HEARTBEAT_INTERVALS_MS;
    has(`${idle / 1_000} s, ${active / 1_000} s, ${busy / 1_000} s`);
  });

  it('has the test vector of team keys and invites', () => {
    const vectors = [TEAM_VECTOR, ENTRY_VECTOR, ENVELOPE_VECTOR, STATEMENT_VECTOR, CHARTER_VECTOR];
    for (const vector of vectors) for (const value of Object.values(vector)) has(value);
  });
});
