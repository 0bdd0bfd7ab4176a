import { comparedNames } from './foldedName';

/**
 * Looks up rows of a table by patterns for paths: lower-case, `*` for any characters of one part and `?`
 * for one. `.x` is a part at any place, `x/` a folder, `a/b` parts in a row, and any other pattern the
 * last part of a path. The first row that matches counts, parts in a row before single ones.
 */
export class NamePatterns<Row> {
  private readonly last = new PartTable<Row>();
  private readonly folder = new PartTable<Row>();
  private readonly sequences: { readonly pattern: RegExp; readonly row: Row }[] = [];

  /** @param rows with the patterns of each, separated by spaces. */
  constructor(rows: readonly (readonly [patterns: string, row: Row])[]) {
    for (const [patterns, row] of rows)
      for (const pattern of patterns.split(' ')) this.add(pattern, row);
  }

  /** The row of a path, either separator between its parts; undefined when no pattern matches. */
  find(path: string): Row | undefined {
    const parts = path.split(/[\\/]/u).map(comparedNames);
    // Streams belong to a single part: what is before them is its name.
    const way = `/${parts.map((names) => names.at(-1) ?? '').join('/')}`;
    const found = this.sequences.find(({ pattern }) => pattern.test(way));
    if (found !== undefined) return found.row;
    const base = parts.length - 1;
    for (const [index, names] of parts.entries()) {
      const table = index === base ? this.last : this.folder;
      for (const name of names) {
        const row = table.find(name);
        if (row !== undefined) return row;
      }
    }
    return undefined;
  }

  private add(pattern: string, row: Row): void {
    const isFolder = pattern.endsWith('/');
    const bare = isFolder ? pattern.slice(0, -1) : pattern;
    if (bare.includes('/')) {
      const end = isFolder ? '/' : '(?:/|$)';
      this.sequences.push({ pattern: new RegExp(`/${toSource(bare)}${end}`, 'u'), row });
      return;
    }
    if (!isFolder) this.last.add(bare, row);
    if (isFolder || bare.startsWith('.')) this.folder.add(bare, row);
  }
}

/** Patterns for one part. */
class PartTable<Row> {
  private readonly exact = new Map<string, Row>();
  private readonly globs: { readonly pattern: RegExp; readonly row: Row }[] = [];
  /** All globs in one expression: most names match none. */
  private any: RegExp | undefined;

  add(pattern: string, row: Row): void {
    if (!/[*?]/u.test(pattern)) {
      if (!this.exact.has(pattern)) this.exact.set(pattern, row);
      return;
    }
    this.globs.push({ pattern: new RegExp(`^${toSource(pattern)}$`, 'u'), row });
    this.any = undefined;
  }

  find(name: string): Row | undefined {
    const row = this.exact.get(name);
    if (row !== undefined || this.globs.length === 0) return row;
    this.any ??= new RegExp(this.globs.map(({ pattern }) => pattern.source).join('|'), 'u');
    if (!this.any.test(name)) return undefined;
    return this.globs.find(({ pattern }) => pattern.test(name))?.row;
  }
}

function toSource(pattern: string): string {
  return pattern
    .replace(/[$()+.[\\\]^{|}]/gu, String.raw`\$&`)
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}
