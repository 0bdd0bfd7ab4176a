import { strict as assert } from 'node:assert';
import { rootName } from '../../../src/editor/rootNames';

const all = (...names: string[]): string[] => names.map((_, index) => rootName(names, index));

describe('the name of a workspace folder in published names', () => {
  it('is nothing where there is one folder', () => assert.deepEqual(all('app'), ['']));

  it('is that of the folder where there are several', () =>
    assert.deepEqual(all('app', 'docs'), ['app', 'docs']));

  it('is another one for each of several that are called alike', () => {
    assert.deepEqual(all('app', 'docs', 'app', 'app'), ['app', 'docs', 'app-2', 'app-3']);
    assert.deepEqual(all('app', 'app', 'app-2'), ['app', 'app-3', 'app-2']);
  });
});
