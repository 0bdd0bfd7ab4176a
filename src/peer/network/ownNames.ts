import type { NameHolder } from './lookAlikes';

/** This peer and its session, as far as others could be taken for them. */
export interface OwnFacts {
  /** Undefined while this peer is not registered: nobody sees its names then. */
  readonly hostname: string | undefined;
  readonly displayName: string;
  /** In a team session. */
  readonly identity: string | undefined;
  readonly sessionName: string | undefined;
}

/** Tells the names of this peer and of its session; the same map as long as they stay the same. */
export class OwnNames {
  private told = '';
  private names: ReadonlyMap<string, NameHolder> = new Map();

  constructor(private readonly facts: () => OwnFacts) {}

  get(): ReadonlyMap<string, NameHolder> {
    const facts = this.facts();
    const text = JSON.stringify(facts);
    if (text === this.told) return this.names;
    this.told = text;
    const { hostname, displayName, identity = 'this peer', sessionName } = facts;
    const names = new Map<string, NameHolder>();
    if (hostname !== undefined) names.set('peer', { identity, names: [hostname, displayName] });
    if (sessionName !== undefined)
      names.set('session', { identity: 'this session', names: [sessionName] });
    this.names = names;
    return names;
  }
}
