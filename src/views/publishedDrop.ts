import * as vscode from 'vscode';

/** As the explorer, and file managers of the system, drag files. */
const URI_LIST = 'text/uri-list';

/** Dropping files and folders onto Published Files publishes them. */
export class PublishedDrop implements vscode.TreeDragAndDropController<unknown> {
  readonly dropMimeTypes = [URI_LIST];
  readonly dragMimeTypes: string[] = [];

  /** @param publish must not reject: whoever drops hears of a failure by a message. */
  constructor(private readonly publish: (uris: readonly vscode.Uri[]) => Promise<void>) {}

  async handleDrop(_target: unknown, transfer: vscode.DataTransfer): Promise<void> {
    const text = await transfer.get(URI_LIST)?.asString();
    const uris = parseUriList(text ?? '');
    if (uris.length > 0) await this.publish(uris);
  }
}

/** A list as RFC 2483 has it: one address a line, comments behind `#`. What is no address is left out. */
function parseUriList(text: string): vscode.Uri[] {
  return text.split(/\r?\n/u).flatMap((line) => {
    const address = line.trim();
    if (address === '' || address.startsWith('#')) return [];
    try {
      return [vscode.Uri.parse(address, true)];
    } catch {
      return []; // Whoever drags may list what it likes.
    }
  });
}
