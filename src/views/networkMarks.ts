import { dirname } from 'node:path';
import { pathKey } from '../common/pathKey';
import type { NetworkFile, PeerApi } from '../peer/peerApi';
import type { FileNode } from './networkNodes';

/** Files of one question: to find out where each may be takes a moment of the editor's own thread. */
const FILES_PER_LOOK = 100;
/** Files that are read at once: whoever folds a node should not have to wait for more. */
const FILES_PER_READ = 16;

export interface NetworkMarksDependencies {
  readonly calls: () => Pick<PeerApi, 'compareFiles'>;
  /** Where a network file may be in this workspace, the likeliest place first; none without a place. */
  readonly pathsOf: (file: NetworkFile) => Promise<readonly string[]>;
  /** That of this computer unless said otherwise. */
  readonly platform?: NodeJS.Platform;
}

/** Where a file may be, as it is listed: its owner and others of its name have a part in that. */
interface Places {
  readonly file: NetworkFile;
  readonly paths: readonly string[];
}

/**
 * Says of rows in sight whether this workspace has the file. Everything that touches a disk is done by
 * the engine, which remembers what it has read.
 */
export class NetworkMarks {
  private readonly places = new WeakMap<FileNode, Places>();
  /** Those that only reading tells apart. Until then a row keeps what it says. */
  private readonly unread = new WeakSet<FileNode>();

  constructor(private readonly dependencies: NetworkMarksDependencies) {}

  /** Where each file may be is found out anew, from the next look on. */
  forgetPlaces(nodes: readonly FileNode[]): void {
    nodes.forEach((node) => this.places.delete(node));
  }

  /**
   * Marks files as far as that needs no reading; the others wait for `readSome`.
   * @throws what the engine does.
   */
  async look(nodes: readonly FileNode[]): Promise<void> {
    for (let start = 0; start < nodes.length; start += FILES_PER_LOOK)
      await this.compare(nodes.slice(start, start + FILES_PER_LOOK), false);
  }

  /**
   * Reads some of the files that only this tells apart. Resolves to those that are marked now: call it
   * again until there are none. @throws CANCELLED and what the engine does.
   */
  async readSome(nodes: readonly FileNode[], signal: AbortSignal): Promise<readonly FileNode[]> {
    const unread = nodes.filter((node) => this.unread.has(node)).slice(0, FILES_PER_READ);
    await this.compare(unread, true, signal);
    return unread;
  }

  /** Those of the nodes whose file may be at one of these paths, or in a folder there. */
  at(changed: ReadonlySet<string>, nodes: readonly FileNode[]): FileNode[] {
    const { platform } = this.dependencies;
    const keys = new Set([...changed].map((path) => pathKey(path, platform)));
    const isAt = (path: string): boolean => {
      for (let place = pathKey(path, platform); ; place = dirname(place)) {
        if (keys.has(place)) return true;
        if (dirname(place) === place) return false;
      }
    };
    return nodes.filter((node) => this.places.get(node)?.paths.some(isAt) === true);
  }

  private async pathsOf(node: FileNode): Promise<readonly string[]> {
    const { file } = node;
    const known = this.places.get(node);
    if (known?.file === file) return known.paths;
    const paths = await this.dependencies.pathsOf(file);
    this.places.set(node, { file, paths });
    return paths;
  }

  private async compare(
    nodes: readonly FileNode[],
    mayRead: boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    const questions = [];
    for (const node of nodes) {
      const { file } = node;
      const paths = await this.pathsOf(node);
      if (paths.length === 0) {
        node.mark = undefined;
        this.unread.delete(node);
      } else questions.push({ node, file, paths });
    }
    if (questions.length === 0) return;
    const files = questions.map(({ file: { sizeBytes, contentId }, paths }) => ({
      ...{ paths, sizeBytes, contentId },
    }));
    const answers = await this.dependencies.calls().compareFiles({ files, mayRead }, { signal });
    questions.forEach(({ node, file }, index) => {
      const { sizeBytes, contentId } = node.file;
      const answer = answers[index];
      // Something else may be offered under this name by now, and have to be read itself.
      if (sizeBytes !== file.sizeBytes || contentId !== file.contentId) return;
      this.unread.delete(node);
      if (answer === 'unread') {
        this.unread.add(node);
        node.mark ??= answer;
      } else node.mark = answer;
    });
  }
}
