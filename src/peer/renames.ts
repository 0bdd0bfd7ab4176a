import { join, relative, sep } from 'node:path';
import type { CatalogueEntry } from './catalogue/catalogue';
import { isInside } from './paths';
import type { FileRename, PublishRequest } from './peerApi';

/** A published file that lies elsewhere now. */
export interface MovedFile {
  readonly entry: CatalogueEntry;
  /** As it is to be published from now on. */
  readonly file: PublishRequest['files'][number];
}

/** What renames of files and folders mean for what is published. */
export function movedFiles(
  entries: readonly CatalogueEntry[],
  renames: readonly FileRename[],
): MovedFile[] {
  return entries.flatMap((entry) => {
    const rename = renames.find(({ from }) => isInside(from, entry.path));
    if (rename === undefined) return [];
    const { from, to, name, folder } = rename;
    const { forSession } = entry;
    const rest = relative(from, entry.path);
    const parts = rest === '' ? [] : rest.split(sep);
    const file = { path: join(to, rest), name: [name, ...parts].join('/'), folder, forSession };
    return [{ entry, file }];
  });
}
