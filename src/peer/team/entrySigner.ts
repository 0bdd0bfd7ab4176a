import type { Clock } from '../../common/clock';
import type { ContentId } from '../../protocol/contentId';
import { type Entry, signEntry } from '../../protocol/signedEntry';
import type { SignedText } from '../../protocol/signedText';
import type { TeamMember } from './teamMember';

/** What is said of a name: never changed, so that it is signed once. */
export interface SignableEntry {
  readonly name: string;
  /** Undefined while the file has not been hashed: then nothing can be said of it. */
  readonly contentId?: ContentId | undefined;
  readonly version?: number | undefined;
  readonly sequence?: number | undefined;
}

/** Signs what this peer offers in a team session, when it is asked for, and remembers it. */
export class EntrySigner {
  private readonly signed = new WeakMap<SignableEntry, { hostname: string; signed: SignedText }>();

  constructor(
    private readonly member: Pick<TeamMember, 'teamId' | 'identity'>,
    private readonly clock: Clock,
  ) {}

  /** @param hostname under which this peer is registered. */
  published(hostname: string, entry: SignableEntry): SignedText | undefined {
    return this.sign(hostname, entry, 'published');
  }

  /** @param entry that has been withdrawn, with a sequence of its own. */
  withdrawn(hostname: string, entry: SignableEntry): SignedText | undefined {
    return this.sign(hostname, entry, 'withdrawn');
  }

  private sign(
    hostname: string,
    entry: SignableEntry,
    state: Entry['state'],
  ): SignedText | undefined {
    const known = this.signed.get(entry);
    if (known?.hostname === hostname) return known.signed;
    const { name, contentId, version = 1, sequence = 0 } = entry;
    if (contentId === undefined) return undefined;
    const { teamId, identity } = this.member;
    const said = { teamId, hostname, name, contentId, version, sequence, state, note: '' };
    const timeMs = Math.floor(this.clock.now());
    const signed = signEntry({ ...said, timeMs }, identity.privateKey);
    this.signed.set(entry, { hostname, signed });
    return signed;
  }
}
