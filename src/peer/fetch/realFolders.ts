import { basename, dirname, join } from 'node:path';
import { resolveLinks } from '../paths';

export interface Above {
  readonly folder: string;
  /** Folders in it on the way to the file. */
  readonly child: string;
}

/** The folders above files, links resolved, each looked up once. */
export class RealFolders {
  private readonly known = new Map<string, readonly Above[]>();

  above(path: string): Above[] {
    const parent = dirname(path);
    return [{ folder: this.realOf(parent), child: basename(path) }, ...this.chain(parent)];
  }

  /** The folders above a folder. */
  private chain(folder: string): readonly Above[] {
    const known = this.known.get(folder);
    if (known !== undefined) return known;
    const real = this.realOf(folder);
    const parent = dirname(real);
    const chain =
      parent === real ? [] : [{ folder: parent, child: basename(real) }, ...this.chain(parent)];
    this.known.set(folder, chain);
    return chain;
  }

  private readonly reals = new Map<string, string>();

  /** A path that does not exist lies where its nearest folder does. */
  realOf(folder: string): string {
    const known = this.reals.get(folder);
    if (known !== undefined) return known;
    const real = this.resolve(folder);
    this.reals.set(folder, real);
    return real;
  }

  private resolve(folder: string): string {
    try {
      return resolveLinks(folder);
    } catch {
      const parent = dirname(folder);
      return parent === folder ? folder : join(this.realOf(parent), basename(folder));
    }
  }
}
