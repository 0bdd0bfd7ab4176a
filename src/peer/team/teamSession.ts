import { join } from 'node:path';
import type { Disposable } from '../../common/disposable';
import type { SignedText } from '../../protocol/signedText';
import type { Catalogue } from '../catalogue/catalogue';
import type { AnnouncementSignatures } from '../control/announcer';
import { EntrySigner } from './entrySigner';
import { EntryTrust } from './entryTrust';
import { HostTrust, type HostTrustDependencies } from './hostTrust';
import type { TeamMember } from './teamMember';

export interface TeamSessionDependencies extends Omit<
  HostTrustDependencies,
  'pinsFile' | 'member'
> {
  readonly member: TeamMember;
  /** The same for the same session in another run. */
  readonly key: string;
  /** Folder of this user, for what all windows share. */
  readonly sharedFolder: string;
  /** What this peer offers, or did. */
  readonly catalogue: () => Pick<Catalogue, 'get' | 'withdrawn'> | undefined;
}

/** What makes a session a team's: who this peer is there, whom it believes, and what it signs. */
export class TeamSession implements Disposable {
  readonly trust: HostTrust;
  readonly entries: EntryTrust;
  /** Of what is announced. */
  readonly signatures: AnnouncementSignatures;
  private readonly signer: EntrySigner;

  constructor(private readonly dependencies: TeamSessionDependencies) {
    const { clock, logger, member, key, sharedFolder, catalogue } = dependencies;
    const { teamId } = member;
    const pinsFile = join(sharedFolder, `identities-${key}.json`);
    const trust = new HostTrust({ ...dependencies, pinsFile });
    const signer = new EntrySigner(member, clock);
    this.trust = trust;
    this.signer = signer;
    this.entries = new EntryTrust({
      ...{ clock, logger, teamId },
      keyOf: (hostname) => trust.keyOf(hostname),
      file: join(sharedFolder, `entries-${key}.json`),
    });
    this.signatures = {
      published: (hostname, file) => signer.published(hostname, file),
      withdrawn: (hostname, name) => {
        const entry = catalogue()?.withdrawn(name);
        return entry && signer.withdrawn(hostname, entry);
      },
    };
  }

  get member(): TeamMember {
    return this.dependencies.member;
  }

  /**
   * What a host says of a name now: that it is published or withdrawn; undefined when it never was, or as
   * long as there is no host.
   */
  sign(hostname: string | undefined, name: string): SignedText | undefined {
    if (hostname === undefined) return undefined;
    const entry = this.dependencies.catalogue()?.get(name);
    if (entry !== undefined) return this.signer.published(hostname, entry);
    return this.signatures.withdrawn(hostname, name);
  }

  dispose(): void {
    this.trust.dispose();
    this.entries.dispose();
  }
}
