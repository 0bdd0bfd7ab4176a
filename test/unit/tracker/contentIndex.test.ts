import { strict as assert } from 'node:assert';
import { MAX_LOCATED_HOSTS } from '../../../src/protocol/limits';
import { ContentIndex } from '../../../src/tracker/contentIndex';

const host = (order: number) => ({
  hostname: `h${order}`,
  displayName: `H ${order}`,
  ip: '10.0.0.1',
  port: 6000,
  order,
});

describe('ContentIndex', () => {
  const names = (index: ContentIndex<ReturnType<typeof host>>, id: string): string[] =>
    (JSON.parse(index.hosts(id)?.json ?? '[]') as { hostname: string; name: string }[]).map(
      ({ hostname, name }) => `${hostname}/${name}`,
    );

  it('names each host once, in their order, as long as it has one name for the content', () => {
    const index = new ContentIndex<ReturnType<typeof host>>();
    const [one, two] = [host(1), host(2)];
    index.add('x', two, 'b');
    index.add('x', one, 'a');
    index.add('x', two, 'c');
    index.add('y', one, 'z');
    assert.deepEqual(names(index, 'x'), ['h1/a', 'h2/b']);
    index.delete('x', two, 'b');
    assert.deepEqual(names(index, 'x'), ['h1/a', 'h2/c']);
    index.delete('x', two, 'c');
    assert.deepEqual(names(index, 'x'), ['h1/a']);
    index.delete('x', one, 'a');
    assert.equal(index.hosts('x'), undefined);
    assert.equal(index.size, 1);
  });

  it('keeps no answer that is long', () => {
    const index = new ContentIndex<ReturnType<typeof host>>();
    index.add('x', host(1), 'a'.repeat(1_000));
    const first = index.hosts('x');
    assert.notEqual(index.hosts('x'), first);
    assert.deepEqual(index.hosts('x'), first);
  });

  it('keeps its answer until something changes', () => {
    const index = new ContentIndex<ReturnType<typeof host>>();
    const one = host(1);
    index.add('x', one, 'a');
    const first = index.hosts('x');
    index.delete('x', one, 'other');
    index.delete('y', one, 'a');
    assert.equal(index.hosts('x'), first);
    index.add('x', host(2), 'a');
    assert.notEqual(index.hosts('x'), first);
  });

  it('names no more hosts than anybody needs', () => {
    const index = new ContentIndex<ReturnType<typeof host>>();
    for (let order = MAX_LOCATED_HOSTS + 5; order > 0; order -= 1) index.add('x', host(order), 'a');
    assert.equal(names(index, 'x').length, MAX_LOCATED_HOSTS);
    assert.equal(names(index, 'x')[0], 'h1/a');
  });
});
