import * as vscode from 'vscode';
import type { NetworkRow } from '../peer/peerApi';
import { foreignText } from './foreignText';
import { formatAge, formatSize } from './format';
import { hostLabel } from '../protocol/hostLabel';

/** Owners that a row names. */
const MAX_OWNERS = 2;

/** Who offers the content of a row. */
export function ownersOf({ sources }: NetworkRow): string {
  const names = sources.slice(0, MAX_OWNERS).map((source) => foreignText(hostLabel(source)));
  const left = sources.length - names.length;
  return [...names, ...(left > 0 ? [vscode.l10n.t('and {0} more', left)] : [])].join(', ');
}

/** Size, age, how many have it, and whether anybody of them is there. */
export function detailOf({ sizeBytes, publishedAtMs, sources }: NetworkRow): string {
  const isAway = sources.every(({ state }) => state === 'away');
  return [
    formatSize(sizeBytes),
    formatAge(Date.now() - publishedAtMs),
    ...(sources.length > 1 ? [vscode.l10n.t('{0} sources', sources.length)] : []),
    ...(isAway ? [vscode.l10n.t('away')] : []),
  ].join(' · ');
}
