import { l10n } from 'vscode';
import type { DuplicateSummary, FileDuplicates } from '../peer/peerApi';
import { foreignText } from './foreignText';
import { formatAge, formatSize } from './format';

/** Files that a question spells out. */
const MAX_LISTED = 3;

/** What others offer already of the files to be published, or undefined when that is nothing. */
export function describeDuplicates({ files, count, first }: DuplicateSummary): string | undefined {
  if (count === 0) return undefined;
  const texts = first.flatMap((file) => describe(file) ?? []);
  const summary =
    files === 1 ? [] : [l10n.t('{0} of {1} files are offered by others already.', count, files)];
  return [...summary, ...texts.slice(0, MAX_LISTED)].join(' ');
}

/** What somebody else has of the one file that was compared; undefined for several, and for nothing. */
export function offeredInstead({
  files,
  first,
}: DuplicateSummary): { name: string; hostname: string } | undefined {
  const [file] = first;
  if (files !== 1 || file === undefined) return undefined;
  const [same] = file.sameContent;
  const [other] = file.sameName;
  return same ?? (other && { name: file.name, hostname: other.hostname });
}

function describe({ name, sameContent, sameName }: FileDuplicates): string | undefined {
  const [same] = sameContent;
  const shown = foreignText(name);
  if (same !== undefined)
    return same.name === name
      ? l10n.t('{0} offers {1} with the same content.', foreignText(same.displayName), shown)
      : l10n.t(
          '{0} offers the content of {1} as {2}.',
          foreignText(same.displayName),
          shown,
          foreignText(same.name),
        );
  const [other] = sameName;
  if (other === undefined) return undefined;
  const details = [
    foreignText(other.displayName),
    shown,
    formatSize(other.sizeBytes),
    formatAge(Date.now() - other.modifiedMs),
  ] as const;
  return other.certain
    ? l10n.t('{0} offers {1} with other content ({2}, changed {3}).', ...details)
    : l10n.t('{0} offers {1}, probably with other content ({2}, changed {3}).', ...details);
}
