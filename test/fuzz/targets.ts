import type { FuzzTarget } from './fuzzTarget';
import { controlLines } from './targets/controlLines';
import { controlReplies } from './targets/controlReplies';
import { batchReplies, httpReplies } from './targets/httpReplies';
import { httpRequests } from './targets/httpRequests';
import { addresses, inviteTexts } from './targets/invites';
import { lanPackets } from './targets/lanPackets';
import { names } from './targets/names';
import { changedRecords, forgedRecords, proofs } from './targets/records';
import {
  charters,
  envelopes,
  sessionRecords,
  signedInvites,
  statementMessages,
  statements,
} from './targets/statements';
import { trackerSession } from './targets/trackerSession';

/** Everything that reads what a stranger may have written. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...[controlLines, controlReplies, trackerSession, httpRequests, httpReplies, batchReplies],
  ...[inviteTexts, addresses, names, lanPackets, changedRecords, forgedRecords, proofs],
  ...[statements, charters, envelopes, statementMessages, signedInvites, sessionRecords],
];
