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
    // A consent to a name is for that name; one to the content goes with the file.
    const consent = (entry.consent ?? []).filter((kind) => kind !== 'name');
    const rest = relative(from, entry.path);
    const parts = rest === '' ? [] : rest.split(sep);
    const path = join(to, rest);
    const file = { path, name: [name, ...parts].join('/'), folder, forSession, consent };
    return [{ entry, file }];
  });
}
