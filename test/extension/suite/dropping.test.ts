import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { PublishedDrop } from '../../../src/views/publishedDrop';

describe('dropping files onto Published Files', () => {
  const drop = async (list: string | undefined): Promise<string[]> => {
    const published: string[] = [];
    const target = new PublishedDrop((uris) => {
      published.push(...uris.map((uri) => uri.toString()));
      return Promise.resolve();
    });
    const transfer = new vscode.DataTransfer();
    if (list !== undefined) transfer.set('text/uri-list', new vscode.DataTransferItem(list));
    await target.handleDrop(undefined, transfer);
    return published;
  };

  it('publishes all that is in the list of addresses', async () => {
    const addresses = ['file:///w/a%20b.txt', 'file:///w/folder'];
    assert.deepEqual(await drop(`# dragged\r\n${addresses.join('\r\n')}\r\n`), addresses);
  });

  it('publishes nothing of what is no list of addresses', async () => {
    assert.deepEqual(await drop(undefined), []);
    assert.deepEqual(await drop(''), []);
    assert.deepEqual(await drop('not an address\nnor this'), []);
  });
});
