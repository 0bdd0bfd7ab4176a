import { lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FOLDER_MARK } from '../../common/privateFiles';
import { isInside } from '../paths';

/**
 * Folders with data of this product: those that this process uses, and those that another one, such as
 * the editor beside the command line, has marked. A mark of another account says nothing, as it would
 * keep the files of everybody from being shared.
 */
export class OwnFolders {
  private readonly seen = new Map<string, boolean>();

  /** @param used real paths. */
  constructor(private readonly used: readonly string[]) {}

  /** Whether a real path is one of them or lies in one. What was seen of a folder is remembered. */
  contain(realPath: string): boolean {
    return this.used.some((folder) => isInside(folder, realPath)) || this.isBelowMark(realPath);
  }

  private isBelowMark(path: string): boolean {
    const known = this.seen.get(path);
    if (known !== undefined) return known;
    const above = dirname(path);
    const isBelow = isMarked(path) || (above !== path && this.isBelowMark(above));
    this.seen.set(path, isBelow);
    return isBelow;
  }
}

function isMarked(folder: string): boolean {
  try {
    const mark = lstatSync(join(folder, FOLDER_MARK), { throwIfNoEntry: false });
    return mark?.isFile() === true && (process.geteuid?.() ?? mark.uid) === mark.uid;
  } catch {
    return false; // No folder, or one that cannot be entered.
  }
}
