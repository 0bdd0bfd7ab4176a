import { setImmediate } from 'node:timers/promises';
import { PeershelfError } from '../../common/errors';
import type { HeldBackReason, SecretKind } from '../api/publishing';
import type { CatalogueEntry } from '../catalogue/catalogue';
import { resolvedOrSame } from '../paths';
import { judgeFile } from './fileVerdict';

/** Files judged in one go: uploads have their turn in between. */
const FILES_IN_A_ROW = 200;

/** Entry that may be offered, with the consent that goes on with its name, or the reason why not. */
export type GateVerdict = { readonly entry: CatalogueEntry } | { readonly reason: HeldBackReason };

/**
 * Decision on every file that comes into the catalogue, whoever asks: a choice of the user, an agent, a
 * rename, or a change of a published file. Nothing with a secret is offered without consent to that kind
 * of secret under that name, and nothing of this product at all.
 */
export class PublicationGate {
  private readonly ownFolders: readonly string[];

  /** @param ownFolders folders with data of this product. */
  constructor(ownFolders: readonly string[]) {
    this.ownFolders = ownFolders.map(resolvedOrSame);
  }

  /**
   * Verdict on an entry whose content was hashed already: a file that changes behind the hashing differs
   * from the entry's stamp and is not served, so what is judged here is what is offered.
   * @param given consent to the kinds of secrets that the user was asked about.
   */
  judge(entry: CatalogueEntry, given: readonly SecretKind[]): GateVerdict {
    const { isOwn, secrets } = judgeFile(entry, this.ownFolders);
    if (isOwn) return { reason: 'own' };
    const missing = secrets.find((kind) => !given.includes(kind));
    if (missing !== undefined) return { reason: missing };
    return { entry: given.length === 0 ? entry : { ...entry, consent: [...new Set(given)] } };
  }

  /** Verdicts on many entries, in their order. */
  async judgeAll(
    asked: readonly { readonly entry: CatalogueEntry; readonly given: readonly SecretKind[] }[],
  ): Promise<GateVerdict[]> {
    const verdicts: GateVerdict[] = [];
    for (const { entry, given } of asked) {
      verdicts.push(this.judge(entry, given));
      if (verdicts.length % FILES_IN_A_ROW === 0) await setImmediate();
    }
    return verdicts;
  }
}

/** A file that is refused for this reason. */
export function heldBack(name: string, reason: HeldBackReason): PeershelfError {
  if (reason === 'own')
    return new PeershelfError('OWN_KEYS', `${name} was written by this product`, {
      details: { name },
    });
  return new PeershelfError('LOOKS_SECRET', `${name} looks like a secret by its ${reason}`, {
    details: { name, kind: reason },
  });
}
