import { l10n } from 'vscode';
import type { HeldBackReason, SecretKind } from '../peer/peerApi';

/** Reason behind the name of a file in a list. */
export function secretReason(kind: SecretKind): string {
  switch (kind) {
    case 'content':
      return l10n.t('holds a key or a token');
    case 'name':
      return l10n.t('has a name that files with keys or passwords have');
    case 'mode':
      return l10n.t('can be read by you only');
  }
}

/** Reason as it came with an error. */
export function heldBackReason(text: string): HeldBackReason {
  return text === 'content' || text === 'mode' || text === 'own' ? text : 'name';
}

/**
 * Message for one file that is not published: the reason, and what to do.
 * @param shown its name, made fit to be shown.
 */
export function heldBackText(shown: string, reason: HeldBackReason): string {
  switch (reason) {
    case 'content':
      return l10n.t(
        '{0} holds a key or a token and is not published. Take it out, or publish the file and confirm that everyone in the session may read it.',
        shown,
      );
    case 'name':
      return l10n.t(
        '{0} has a name that files with keys or passwords have and is not published. Give it another name, or publish it and confirm that everyone in the session may read it.',
        shown,
      );
    case 'mode':
      return l10n.t(
        '{0} can be read by you only and is not published. Publish it and confirm that everyone in the session may read it.',
        shown,
      );
    case 'own':
      return l10n.t(
        '{0} is never published: it is written by Peershelf, and holds keys or unfinished downloads. Leave it out.',
        shown,
      );
  }
}

/** Mark of a changed file in Published Files. */
export function heldBackMark(reason: HeldBackReason): string {
  switch (reason) {
    case 'content':
      return l10n.t('not published again: holds a key or a token');
    case 'name':
      return l10n.t('not published again: has a name that files with keys or passwords have');
    case 'mode':
      return l10n.t('not published again: can be read by you only');
    case 'own':
      return l10n.t('not published again: holds what Peershelf has written');
  }
}
