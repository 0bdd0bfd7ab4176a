import { setImmediate } from 'node:timers/promises';
import { PeershelfError } from '../../common/errors';
import type { FoundAs, HeldBackReason, SecretKind } from '../api/publishing';
import type { CatalogueEntry } from '../catalogue/catalogue';
import { isSameStamp } from '../hash/fileStamp';
import { resolvedOrSame } from '../paths';
import { refuseOther } from '../publishing';
import { isOwnPlace, judgeFile, LOOKED_INTO_IN_A_ROW_BYTES, lookedIntoBytes } from './fileVerdict';
import { OwnFolders } from './ownFolders';

/** Files judged in one go: uploads have their turn in between. */
const FILES_IN_A_ROW = 200;

/** Entry that may be offered, with the consent that goes on with its name, or the reason why not. */
export type GateVerdict =
  | { readonly entry: CatalogueEntry }
  | { readonly reason: HeldBackReason }
  /** FILE_CHANGED: the file is not the one that was hashed, or not the one that was found. */
  | { readonly error: PeershelfError };

/** An entry that somebody wishes to offer. */
export interface AskedEntry {
  readonly entry: CatalogueEntry;
  /** Consent to the kinds of secrets that the user was asked about. */
  readonly given: readonly SecretKind[];
  /** File that was found at its path, if the user has chosen among files that were found. */
  readonly found?: FoundAs | undefined;
}

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
   * Verdict on an entry whose content was hashed already. The file that is judged has the stamp of the
   * one that was hashed, and one with another stamp is not served: what is judged is what is offered.
   */
  judge(asked: AskedEntry): GateVerdict {
    return this.judgeIn(asked, new OwnFolders(this.ownFolders));
  }

  private judgeIn({ entry, given, found }: AskedEntry, ownFolders: OwnFolders): GateVerdict {
    const { realPath, stamp } = entry;
    if (isOwnPlace(realPath, ownFolders)) return { reason: 'own' };
    let secrets: readonly SecretKind[];
    try {
      if (found !== undefined) refuseOther(entry, found);
      if (found !== undefined && found.stamp === undefined) return { error: changed(entry) };
      if (found?.isSettled === true && found.stamp && isSameStamp(found.stamp, stamp))
        ({ secrets } = found); // Nothing has changed since somebody looked into it.
      else {
        const verdict = judgeFile(entry, ownFolders);
        if (verdict.isOwn) return { reason: 'own' };
        if (verdict.stamp === undefined || !isSameStamp(verdict.stamp, stamp))
          return { error: changed(entry) };
        ({ secrets } = verdict);
      }
    } catch (error) {
      return { error: PeershelfError.from(error) };
    }
    const missing = secrets.find((kind) => !given.includes(kind));
    if (missing !== undefined) return { reason: missing };
    return { entry: given.length === 0 ? entry : { ...entry, consent: [...new Set(given)] } };
  }

  /** Verdicts on many entries, in their order. */
  async judgeAll(asked: readonly AskedEntry[]): Promise<GateVerdict[]> {
    const verdicts: GateVerdict[] = [];
    let ownFolders = new OwnFolders(this.ownFolders);
    let bytes = 0;
    for (const one of asked) {
      verdicts.push(this.judgeIn(one, ownFolders));
      bytes += lookedIntoBytes(one.entry.sizeBytes);
      if (verdicts.length % FILES_IN_A_ROW > 0 && bytes < LOOKED_INTO_IN_A_ROW_BYTES) continue;
      bytes = 0;
      await setImmediate();
      // Folders may have been marked or moved meanwhile.
      ownFolders = new OwnFolders(this.ownFolders);
    }
    return verdicts;
  }
}

function changed({ path }: CatalogueEntry): PeershelfError {
  return new PeershelfError('FILE_CHANGED', `${path} changed after it was read`, {
    details: { path },
  });
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
